"""IPVS's table as values: virtual services, their real servers, and arithmetic with them.

A real server has an entry in each virtual service that it belongs to, and each
director counts for itself; people think of it as one. The sum over services and
directors, and the difference of a counter, are defined here only. Pure.
"""

from collections.abc import Iterable
from operator import add
from typing import NamedTuple


class RealServer(NamedTuple):
    """One real server of a virtual service, as the kernel counts it.

    `address` is "198.51.100.11:80"; the rest are counts, but for the weight.
    """

    address: str
    weight: int
    active: int
    inactive: int
    persistent: int
    conns: int
    inpkts: int
    outpkts: int
    inbytes: int
    outbytes: int


class VirtualService(NamedTuple):
    """One virtual service: `key` is "tcp 192.0.2.80:80" or "fwmark 7".

    `persistent_timeout` is in seconds.
    """

    key: str
    scheduler: str
    flags: int
    persistent_timeout: int
    conns: int
    inpkts: int
    outpkts: int
    inbytes: int
    outbytes: int
    servers: tuple[RealServer, ...]


SERVICE_COUNTERS = VirtualService._fields[4:9]


def total(one: RealServer, other: RealServer) -> RealServer:
    """The counts of two entries for one real server; the weight is the first one's."""
    return RealServer(one[0], one[1], *map(add, one[2:], other[2:]))


def by_address(servers: Iterable[RealServer]) -> dict[str, RealServer]:
    """Each real server once: the counts of all its entries added up."""
    found: dict[str, RealServer] = {}
    for server in servers:
        seen = found.get(server[0])
        found[server[0]] = server if seen is None else total(seen, server)
    return found


def growth(before: int, now: int) -> int:
    """What a counter grew by between two readings.

    One that fell belongs to a new table entry, which began at 0: the entry was
    removed and added again, or the kernel was loaded anew.
    """
    return now - before if now >= before else now
