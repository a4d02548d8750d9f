"""Samples of a made-up kernel's table, for tests of what is computed from their course."""

from collections.abc import Mapping, Sequence

from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.record.format import Request, Sample

A, B, C = "198.51.100.11:80", "198.51.100.12:80", "198.51.100.13:80"

Rows = Mapping[str, tuple[int, int]]
"""Weight and active connections, by address."""


def rows(table: Rows) -> dict[str, RealServer]:
    """The table's real servers."""
    return {a: RealServer(a, weight, active, *[0] * 7) for a, (weight, active) in table.items()}


def sample(t_us: int, table: Rows, node: str = "director") -> Sample:
    """One sample of it."""
    servers = tuple(rows(table).values())
    return Sample(1, node, t_us, 10, (VirtualService("tcp", "rr", 0, 0, 0, 0, 0, 0, 0, servers),))


def readings(*course: tuple[int, Rows]) -> list[tuple[int, dict[str, RealServer]]]:
    """Its course: a time in µs, and what it had then."""
    return [(t_us, rows(table)) for t_us, table in course]


def steady(table: Rows, t_us: Sequence[int]) -> list[tuple[int, dict[str, RealServer]]]:
    """The same at each of these times."""
    return readings(*((t, table) for t in t_us))


def request(
    server: str | None,
    start_us: int,
    latency_us: int = 1000,
    *,
    traffic: str = "short",
    error: str | None = None,
    reused: bool = False,
) -> Request:
    """One that was sent when it was planned."""
    return Request(
        1, traffic, start_us, start_us, latency_us, 0 if error else 200, 1, "c", 9, reused,
        server, error,
    )  # fmt: skip
