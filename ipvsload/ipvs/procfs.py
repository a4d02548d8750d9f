"""The IPVS table out of /proc/net, which every user may read.

Netlink wants CAP_NET_ADMIN also for reading. Where a cluster does not permit
that, /proc/net/ip_vs still shows schedulers, weights, ActiveConn and InActConn
(net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_info_seq_show). It has no counters of
connections; those are counted here, out of the connections that come and go.
Pure but for the reading of the files.
"""

import struct
from collections.abc import Callable, Iterable
from socket import AF_INET, AF_INET6, htons, inet_pton, ntohs

from ipvsload.ipvs.connections import CONNECTIONS, ConnectionTally, read_address, read_connections
from ipvsload.ipvs.decode import Row, TableRows
from ipvsload.ipvs.forwarding import NUMBERS, joined
from ipvsload.ipvs.jiffies import ticks_a_second
from ipvsload.ipvs.keys import PROTOCOLS, Endpoint, Identity, host_of, service_key
from ipvsload.ipvs.schedulers import ONE_PACKET, PERSISTENT

TABLE = "/proc/net/ip_vs"
_PROTOCOL_NUMBERS = {name.upper(): number for number, name in PROTOCOLS.items()}


def read_table(text: str, hz: int = 0) -> tuple[str, TableRows]:
    """The kernel's IPVS version, and services with their servers, all counters 0.

    How long persistence lasts is written in jiffies (ip_vs_ctl.c,
    ip_vs_info_seq_show), of which `hz` make a second; where that is not known (0) the
    time is 0, and PERSISTENT is in the flags nevertheless.

    A server's family is its own: those of a service by fwmark, and servers that
    are reached through a tunnel, may have another than the service.
    """
    head, *lines = text.splitlines() or [""]
    words = head.split()
    version = words[words.index("version") + 1] if "version" in words else ""
    table: TableRows = []
    for line in lines:
        match line.split():
            case ["->", endpoint, _, weight, active, inactive, *_] if table:
                family, address, port = _endpoint(endpoint)
                batches = table[-1][1]
                if not batches or batches[-1][0] != family:
                    batches.append((family, []))
                counts = (int(weight), int(active), int(inactive))
                batches[-1][1].append((address, port, *counts, 0, 0, 0, 0, 0, 0))
            case ["FWM", mark, *rest]:
                table.append(((AF_INET, 0, b"", 0, int(mark, 16), *_properties(rest, hz)), []))
            case [protocol, endpoint, *rest] if protocol in _PROTOCOL_NUMBERS:
                family, address, port = _endpoint(endpoint)
                number = _PROTOCOL_NUMBERS[protocol]
                table.append(((family, number, address, port, 0, *_properties(rest, hz)), []))
    return version, table


def forwardings_of(text: str) -> dict[str, str]:
    """By the key of each service with real servers: how they are reached, as `joined` says it."""
    numbers: dict[str, list[int]] = {}
    key = ""
    for line in text.splitlines():
        match line.split():
            case ["->", _, word, _, _, _, *_] if key and word.lower() in NUMBERS:
                numbers.setdefault(key, []).append(NUMBERS[word.lower()])
            case ["FWM", mark, *_]:
                key = service_key(Identity(AF_INET, 0, b"", 0, int(mark, 16)))
            case [protocol, endpoint, *_] if protocol in _PROTOCOL_NUMBERS:
                family, address, port = _endpoint(endpoint)
                number = _PROTOCOL_NUMBERS[protocol]
                key = service_key(Identity(family, number, address, port, 0))
    return {key: joined(ways) for key, ways in numbers.items()}


class ProcIpvs:
    """The table of this network namespace by way of /proc; `version` is the kernel's.

    Connections are counted for `services` (address, or "" for any, and port), or
    for all. Raises OSError where the files are not there or may not be read.
    """

    def __init__(self, services: Iterable[Endpoint] | None = None) -> None:
        with open(TABLE) as file:
            self.version = read_table(file.read())[0]
        self._hz = ticks_a_second()
        self._services = None if services is None else list(services)
        self._tally = ConnectionTally()

    def close(self) -> None:
        """Nothing is held."""

    def table(self, wanted: Callable[[Row], bool] | None = None) -> TableRows:
        """As Ipvs.table; `conns` are those that were seen since this was made."""
        with open(TABLE) as file:
            _, table = read_table(file.read(), self._hz)
        with open(CONNECTIONS) as file:
            self._tally.update(read_connections(file, self._services))
        return [
            (service, [(family, self._counted(service, family, rows)) for family, rows in batches])
            for service, batches in table
            if wanted is None or wanted(service)
        ]

    def _counted(self, service: Row, family: int, servers: list[Row]) -> list[Row]:
        service_family, number, address, port, fwmark, *_ = service
        if fwmark:  # it has no address to know its connections by
            return servers
        protocol, virtual = PROTOCOLS[number], (host_of(service_family, address), ntohs(port))
        count = self._tally.count
        return [
            (*row[:6], count(protocol, virtual, (host_of(family, row[0]), ntohs(row[1]))), *row[7:])
            for row in servers
        ]


def _properties(words: list[str], hz: int) -> Row:
    """A service's row from its scheduler on; `words` are "rr", "ops", "persistent 300 FFFFFFFF"."""
    timeout = int(words[words.index("persistent") + 1]) if "persistent" in words else 0
    flags = (PERSISTENT if timeout else 0) | (ONE_PACKET if "ops" in words else 0)
    seconds = timeout // hz if hz else 0
    return words[0].encode() + b"\0", struct.pack("=II", flags, 0xFFFFFFFF), seconds, *[0] * 5


def _endpoint(text: str) -> tuple[int, bytes, int]:
    host, _, port = text.rpartition(":")
    address = read_address(host)
    family = AF_INET6 if ":" in address else AF_INET
    return family, inet_pton(family, address).ljust(16, b"\0"), htons(int(port, 16))
