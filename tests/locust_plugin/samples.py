"""Samples by hand, for tests of what is made of them."""

from collections.abc import Iterable, Mapping

from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.record.format import OccupancySample, Sample, ServerOccupancy

KEY = "tcp 192.0.2.80:81"
Counts = tuple[int, int, int]
"""ActiveConn, InActConn, conns."""


def server(address: str, counts: Counts, weight: int = 1) -> RealServer:
    active, inactive, conns = counts
    return RealServer(address, weight, active, inactive, 0, conns, 0, 0, 0, 0)


def service(
    servers: Iterable[RealServer],
    key: str = KEY,
    scheduler: str = "rr",
    flags: int = 0,
    persistent: int = 360,
) -> VirtualService:
    return VirtualService(key, scheduler, flags, persistent, 0, 0, 0, 0, 0, tuple(servers))


def sample(t_us: int, *services: VirtualService, node: str = "n") -> Sample:
    return Sample(1, node, t_us, 100, services)


def table(t_us: int, counts: Mapping[str, Counts], node: str = "n") -> Sample:
    """One service with these servers."""
    return sample(t_us, service(server(a, c) for a, c in counts.items()), node=node)


def occupancy(t_us: int, servers: Mapping[str, tuple[int, int]]) -> OccupancySample:
    """What servers say of themselves: busy workers and waiting requests by address."""
    told = (ServerOccupancy(a, busy, queued, 0, 0, 0) for a, (busy, queued) in servers.items())
    return OccupancySample(1, t_us, tuple(told))
