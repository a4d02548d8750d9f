"""How long requests waited at their server for a worker, as a part of their latency.

Of answered requests, as latencies are. Times are in µs in and in ms out.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ipvsload.statistics.percentiles import percentile

SLOWEST = 0.05
"""The part of the requests whose latency is split as "slowest 5 %"."""


class QueuedRequest(NamedTuple):
    """A request's whole latency, and its time in the server's queue; both in µs."""

    latency_us: int
    queue_us: int


def queue_ms(ordered_us: Sequence[int]) -> dict[str, float]:
    """p50, p95, p99, max and mean of ascending times; {} where there are none."""
    if not ordered_us:
        return {}
    found = {f"p{p}": percentile(ordered_us, p) / 1000 for p in (50, 95, 99)}
    return {
        **found,
        "max": ordered_us[-1] / 1000,
        "mean": sum(ordered_us) / len(ordered_us) / 1000,
    }


def latency_parts_ms(requests: Iterable[QueuedRequest]) -> dict[str, dict[str, float]]:
    """The mean latency in ms, split in the time in the queue and the rest; they add up.

    Of all requests, and of the slowest 5 % (one at least); empty without any.
    """
    ordered = sorted(requests)
    if not ordered:
        return {}
    slowest = ordered[-max(1, round(len(ordered) * SLOWEST)) :]
    return {"all": _split(ordered), "slowest": _split(slowest)}


def _split(requests: Sequence[QueuedRequest]) -> dict[str, float]:
    queue = sum(one.queue_us for one in requests) / len(requests)
    whole = sum(one.latency_us for one in requests) / len(requests)
    return {"queue": queue / 1000, "rest": (whole - queue) / 1000}
