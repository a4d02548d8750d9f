"""Samples and requests that tests of the exporters know beforehand."""

from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.locust_plugin.metrics.request_counter import RequestCounter
from ipvsload.record.format import OccupancySample, Sample, ServerOccupancy

NODE = "director"
SERVICE = "tcp 192.0.2.80:80"
FIRST, SECOND = "198.51.100.11:80", "198.51.100.12:80"
ODD = 'GET /a"b\\c\nd=é{}'
"""A label with all that has a meaning in Prometheus's format."""


def server(address: str, number: int, conns: int = 0) -> RealServer:
    """A real server; `number` tells its figures from another's."""
    return RealServer(
        address, number, number * 10, number * 20, 0,
        conns, conns * 5, conns * 6, conns * 500, conns * 700,
    )  # fmt: skip


def sample(
    *servers: RealServer, scheduler: str = "lc", key: str = SERVICE, t_us: int = 0
) -> Sample:
    """A table with one service."""
    service = VirtualService(key, scheduler, 0, 0, 0, 0, 0, 0, 0, servers)
    return Sample(1, NODE, t_us, 5000, (service,))


def two(conns: int = 0, t_us: int = 0) -> Sample:
    """A table with two servers; the second has three times the connections."""
    return sample(server(FIRST, 1, conns), server(SECOND, 2, 3 * conns), t_us=t_us)


def busy(now_us: int) -> OccupancySample:
    """Two workers of the first server are busy all the time, and three requests wait there."""
    first = ServerOccupancy(FIRST, 2, 3, 90, 2, 2 * now_us)
    return OccupancySample(1, now_us, (first, ServerOccupancy(SECOND, 1, 0, 7, 0, now_us)))


def requests(counter: RequestCounter) -> None:
    """A tenth of a second: ten short ones, one of them failed, and one long one."""
    for number in range(6):
        counter.request("ShortUser", SECOND, 10.5 + number, None, queue_us=700, late_us=300)
    for number in range(3):
        counter.request("ShortUser", FIRST, 10.5 + number, None)
    counter.request("ShortUser", None, 900.0, "refused")
    counter.request("LongUser", FIRST, 5000.5, None)
    counter.request(ODD, None, None, None)
