"""How long requests waited at their server for a worker, as a part of their latency.

Of answered requests, as latencies are. Times are in µs in and in ms out.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipvsload.statistics.percentiles import percentile

SLOWEST = 0.05
"""The part of the requests whose latency is split as "slowest 5 %"."""


PARTS = ("late", "queue", "rest")


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


class LatencyParts:
    """What the latencies of a class consist of: sent late, in the queue, the rest.

    `most` is how many requests may be added at most. Of those the slowest are kept, and of all
    only the sums: ten million do not fit into memory three times.
    """

    def __init__(self, most: int) -> None:
        self._most = _slowest(most)
        self._kept: list[NDArray[np.int64]] = []
        self._many = 0
        """How many are kept."""
        self._least_us = 0
        """Quicker ones are not among the slowest any more."""
        self._count, self._sums = 0, np.zeros(3, np.int64)

    def add(self, latency_us: NDArray[Any], queue_us: NDArray[Any], late_us: NDArray[Any]) -> None:
        """More requests: the whole latency of each, and of it the queue and until it was sent."""
        added = np.array([latency_us, queue_us, late_us], np.int64)
        self._count += added.shape[1]
        self._sums += added.sum(axis=1)
        slow = added[:, added[0] >= self._least_us]
        self._kept.append(slow)
        self._many += slow.shape[1]
        if self._many > 2 * self._most:
            kept = self._slowest_of(self._most)
            self._kept, self._many, self._least_us = [kept], self._most, int(kept[0].min())

    def ms(self) -> dict[str, dict[str, float]]:
        """The mean latency in ms, split in PARTS, which add up; empty without any request.

        Of all requests, and of the slowest 5 % (one at least). Of those that are equally slow,
        those that waited longer in the queue count as slower.
        """
        if not self._count:
            return {}
        slowest = self._slowest_of(_slowest(self._count))
        return {
            "all": _split(self._count, self._sums),
            "slowest": _split(slowest.shape[1], slowest.sum(axis=1)),
        }

    def _slowest_of(self, many: int) -> NDArray[np.int64]:
        kept = np.concatenate(self._kept, axis=1)
        place = kept.shape[1] - many
        least = np.partition(kept[0], place)[place]
        slower, alike = kept[:, kept[0] > least], kept[:, kept[0] == least]
        last = np.lexsort(alike[::-1])[slower.shape[1] - many :]
        return np.concatenate([slower, alike[:, last]], axis=1)


def _slowest(many: int) -> int:
    return max(1, round(many * SLOWEST))


def _split(many: int, sums_us: NDArray[np.int64]) -> dict[str, float]:
    whole, queue, late = (total / (many * 1000) for total in sums_us.tolist())
    return dict(zip(PARTS, (late, queue, whole - queue - late), strict=True))
