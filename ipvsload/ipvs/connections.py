"""/proc/net/ip_vs_conn: each connection that IPVS balances, with its client and real server.

An answer names its server; a refusal or a reset does not, but the kernel keeps a
connection that was reset for 10 s, and others for longer. A table may have
300,000 lines, so lines are chosen by their words, before any address is parsed
(net/netfilter/ipvs/ip_vs_conn.c, ip_vs_conn_seq_show). Pure; runs in the director.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import NamedTuple

from ipvsload.ipvs.keys import Endpoint, join_endpoint

CONNECTIONS = "/proc/net/ip_vs_conn"


class ConnectionEntry(NamedTuple):
    """One line: the client, the virtual address that it asked for, and its real server."""

    protocol: str
    client: Endpoint
    virtual: Endpoint
    server: Endpoint


def read_connections(
    lines: Iterable[str],
    services: Iterable[Endpoint] | None = None,
    clients: Iterable[Endpoint] | None = None,
) -> Iterator[ConnectionEntry]:
    """The connections to `services` from `clients`; to all and from all where not given.

    A service's address "" is any. The file's first line is its heading.
    """
    targets = None if services is None else {endpoint_words(*service) for service in services}
    sources = None if clients is None else {endpoint_words(*client) for client in clients}
    for line in lines:
        words = line.split()
        if (
            len(words) >= 8
            and (sources is None or (words[1], words[2]) in sources)
            and (targets is None or (words[3], words[4]) in targets or ("", words[4]) in targets)
            and words[0] != "Pro"
            and words[2] != "0000"  # a persistence template (ip_vs_sched_persist)
        ):
            yield ConnectionEntry(
                words[0].lower(),
                (read_address(words[1]), int(words[2], 16)),
                (read_address(words[3]), int(words[4], 16)),
                (read_address(words[5]), int(words[6], 16)),
            )


def chosen_servers(
    lines: Iterable[str], vip: str, port: int, clients: Iterable[Endpoint]
) -> list[str | None]:
    """For each client the "address:port" of its server in the TCP service at vip:port.

    None where the kernel has forgotten the connection. `clients` are any pairs
    of address and port, as JSON has them.
    """
    asked = [(host, number) for host, number in clients]
    chosen = {
        one.client: join_endpoint(*one.server)
        for one in read_connections(lines, [(vip, port)], asked)
        if one.protocol == "tcp"
    }
    return [chosen.get(client) for client in asked]


def server_answer(
    lines: Sequence[str], service: Endpoint, *clients: Endpoint
) -> dict[str, list[str | None] | None]:
    """What `ipvsload collect --connections` answers: {"connection_servers": ...}.

    None instead of a list where the service has connections, but none from an
    address of these clients: they are known here by other addresses.
    """
    servers = chosen_servers(lines, *service, clients)
    if not any(servers):
        here = {host for host, _ in clients}
        known = {one.client[0] for one in read_connections(lines, [service])}
        if known and not known & here:
            return {"connection_servers": None}
    return {"connection_servers": servers}


class ConnectionTally:
    """Counts connections by protocol, virtual address and real server, each entry once.

    A connection stays in the kernel's list for 10 s and more after its end
    (ip_vs_proto_tcp.c, tcp_timeouts), so reading it each second misses none.
    """

    def __init__(self) -> None:
        self._present: set[ConnectionEntry] = set()
        self._counts: Counter[tuple[str, Endpoint, Endpoint]] = Counter()

    def update(self, connections: Iterable[ConnectionEntry]) -> list[ConnectionEntry]:
        """Take all that are there now; return those that were not there before."""
        now = set(connections)
        new = now - self._present
        self._present = now
        self._counts.update((one.protocol, one.virtual, one.server) for one in new)
        return sorted(new)

    def count(self, protocol: str, virtual: Endpoint, server: Endpoint) -> int:
        """How many were seen from `virtual` to `server`; the protocol is such as "tcp"."""
        return self._counts[protocol, virtual, server]


def read_address(word: str) -> str:
    """The address in a word of /proc: "C0000250" is 192.0.2.80; IPv6 is written out."""
    if ":" in word:
        return inet_ntop(AF_INET6, inet_pton(AF_INET6, word.strip("[]")))
    return inet_ntop(AF_INET, bytes.fromhex(word))


def endpoint_words(host: str, port: int) -> tuple[str, str]:
    """The address and the port as the file has them; an empty host stays empty."""
    if ":" in host:
        packed = inet_pton(AF_INET6, host).hex()
        host = ":".join(packed[at : at + 4] for at in range(0, 32, 4))
    elif host:
        host = inet_pton(AF_INET, host).hex().upper()
    return host, f"{port:04X}"
