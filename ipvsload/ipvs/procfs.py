"""The IPVS table out of /proc/net, which every user may read.

Netlink wants CAP_NET_ADMIN also for reading; where a cluster does not permit
that, these two files still show schedulers, weights, ActiveConn and InActConn
(`ip_vs`, net/netfilter/ipvs/ip_vs_ctl.c) and every connection (`ip_vs_conn`,
ip_vs_conn.c). They have no counters of connections; those are counted here, out
of the connections that come and go. Pure but for the reading of the files.
"""

import struct
from collections.abc import Iterable, Iterator
from socket import AF_INET, AF_INET6, htons, inet_ntop, inet_pton
from typing import NamedTuple

from ipvsload.ipvs.decode import Row
from ipvsload.ipvs.keys import PROTOCOLS

TABLE = "/proc/net/ip_vs"
CONNECTIONS = "/proc/net/ip_vs_conn"
_PROTOCOL_NUMBERS = {name.upper(): number for number, name in PROTOCOLS.items()}
_PERSISTENT = 0x1  # IP_VS_SVC_F_PERSISTENT

Batches = list[tuple[int, list[Row]]]


class Connection(NamedTuple):
    """A line of ip_vs_conn: client, the virtual address it asked for, and its real server."""

    protocol: str
    client: str
    client_port: int
    virtual: str
    virtual_port: int
    server: str
    server_port: int


def read_connections(lines: Iterable[str]) -> Iterator[Connection]:
    """The connections of /proc/net/ip_vs_conn; the first line is its heading."""
    for line in lines:
        words = line.split()
        if len(words) < 8 or words[0] not in _PROTOCOL_NUMBERS:
            continue
        yield Connection(
            words[0].lower(),
            _address(words[1]), int(words[2], 16),
            _address(words[3]), int(words[4], 16),
            _address(words[5]), int(words[6], 16),
        )  # fmt: skip


def read_table(text: str) -> tuple[str, list[tuple[Row, list[Row]]]]:
    """The kernel's IPVS version, and services with their servers, all counters 0."""
    head, *lines = text.splitlines() or [""]
    words = head.split()
    version = words[words.index("version") + 1] if "version" in words else ""
    table: list[tuple[Row, list[Row]]] = []
    for line in lines:
        words = line.split()
        if not words or words[0] == "Prot":
            continue
        if words[0] == "->":
            if table and len(words) >= 6 and ":" in words[1]:
                _, raw, port = _endpoint(words[1])
                weight, active, inactive = (int(word) for word in words[3:6])
                table[-1][1].append((raw, port, weight, active, inactive, 0, 0, 0, 0, 0, 0))
        elif words[0] == "FWM":
            table.append((_service(AF_INET, 0, b"", 0, int(words[1], 16), words[2:]), []))
        elif words[0] in _PROTOCOL_NUMBERS:
            number = _PROTOCOL_NUMBERS[words[0]]
            table.append((_service(*_join(_endpoint(words[1]), number), words[2:]), []))
    return version, table


class ProcIpvs:
    """The table of this network namespace by way of /proc; `version` is the kernel's.

    Raises OSError where the files are not there or may not be read.
    """

    def __init__(self) -> None:
        with open(TABLE) as file:
            self.version = read_table(file.read())[0]
        self._tally = ConnectionTally()

    def close(self) -> None:
        """Nothing is held."""

    def table(self) -> list[tuple[Row, Batches]]:
        """As Ipvs.table; `conns` are those that were seen since this was made."""
        with open(TABLE) as file:
            _, table = read_table(file.read())
        with open(CONNECTIONS) as file:
            self._tally.saw(read_connections(file))
        return [
            (service, [(service[0], [self._counted(service, row) for row in servers])])
            for service, servers in table
        ]

    def _counted(self, service: Row, server: Row) -> Row:
        family, _, address, port = service[:4]
        virtual = _text(family, address), htons(port)
        real = _text(family, server[0]), htons(server[1])
        return (*server[:6], self._tally.count(virtual, real), *server[7:])


class ConnectionTally:
    """Counts connections by virtual address and real server, each entry once.

    A connection stays in the kernel's list 10 s and more after its end
    (ip_vs_proto_tcp.c, tcp_timeouts), so none is missed by who looks each second.
    """

    def __init__(self) -> None:
        self._present: set[Connection] = set()
        self._counts: dict[tuple[tuple[str, int], tuple[str, int]], int] = {}

    def saw(self, connections: Iterable[Connection]) -> list[Connection]:
        """All that are there now; returns those that were not there before."""
        now = set(connections)
        new = now - self._present
        self._present = now
        for one in new:
            key = (one.virtual, one.virtual_port), (one.server, one.server_port)
            self._counts[key] = self._counts.get(key, 0) + 1
        return sorted(new)

    def count(self, virtual: tuple[str, int], server: tuple[str, int]) -> int:
        """How many were seen from `virtual` to `server` (addresses and ports)."""
        return self._counts.get((virtual, server), 0)


def _service(
    family: int, protocol: int, raw: bytes, port: int, fwmark: int, words: list[str]
) -> Row:
    scheduler = words[0].encode() + b"\0"
    timeout = 0
    if "persistent" in words:
        timeout = int(words[words.index("persistent") + 1])
    flags = struct.pack("=II", _PERSISTENT if timeout else 0, 0xFFFFFFFF)
    return (family, protocol, raw, port, fwmark, scheduler, flags, timeout, 0, 0, 0, 0, 0)


def _join(endpoint: tuple[int, bytes, int], protocol: int) -> tuple[int, int, bytes, int, int]:
    family, raw, port = endpoint
    return family, protocol, raw, port, 0


def _endpoint(text: str) -> tuple[int, bytes, int]:
    host, _, port = text.rpartition(":")
    address = _address(host.strip("[]"))
    family = AF_INET6 if ":" in address else AF_INET
    return family, inet_pton(family, address).ljust(16, b"\0"), htons(int(port, 16))


def _address(text: str) -> str:
    """The address that /proc writes: "C0000250" is 192.0.2.80; IPv6 is written out."""
    if ":" in text:
        return inet_ntop(AF_INET6, inet_pton(AF_INET6, text.strip("[]")))
    return inet_ntop(AF_INET, bytes.fromhex(text))


def _text(family: int, raw: bytes) -> str:
    return inet_ntop(family, raw[:16] if family == AF_INET6 else raw[:4])
