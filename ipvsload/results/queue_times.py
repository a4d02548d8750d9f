"""How long requests waited at their server for a worker, as a part of their latency.

Of answered requests, as latencies are. Times are in µs in and in ms out.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ipvsload.statistics.percentiles import percentile

SLOWEST = 0.05
"""The part of the requests whose latency is split as "slowest 5 %"."""


PARTS = ("late", "queue", "rest")


class QueuedRequest(NamedTuple):
    """A request's whole latency, and of it its time in the server's queue and until it was sent.

    All in µs.
    """

    latency_us: int
    queue_us: int
    late_us: int = 0


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
    """The mean latency in ms, split in PARTS: sent late, in the queue, the rest; they add up.

    Of all requests, and of the slowest 5 % (one at least); empty without any.
    """
    ordered = sorted(requests)
    if not ordered:
        return {}
    slowest = ordered[-max(1, round(len(ordered) * SLOWEST)) :]
    return {"all": _split(ordered), "slowest": _split(slowest)}


def _split(requests: Sequence[QueuedRequest]) -> dict[str, float]:
    of = len(requests) * 1000
    late = sum(one.late_us for one in requests) / of
    queue = sum(one.queue_us for one in requests) / of
    whole = sum(one.latency_us for one in requests) / of
    return dict(zip(PARTS, (late, queue, whole - queue - late), strict=True))
