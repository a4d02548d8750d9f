"""Times of any number of requests in little room: how many there were in each of many buckets.

A bucket is 1/128 of an octave, so a percentile is at most 0.28 % from the exact one. Count, sum,
greatest, and how many were 0, are exact. numpy fills it from thousands of times at once.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PER_OCTAVE = 128
_OCTAVES = 64


class LatencyHistogram:
    """Times in ns, 0 or more."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0
        self.greatest = 0
        self.zeros = 0
        self._buckets = np.zeros(_PER_OCTAVE * _OCTAVES, np.int64)

    def add(self, times: NDArray[Any]) -> None:
        """Count these times."""
        if not len(times):
            return
        self.count += len(times)
        self.total += int(times.sum())
        self.greatest = max(self.greatest, int(times.max()))
        some = times[times > 0]
        self.zeros += len(times) - len(some)
        places = (np.log2(some) * _PER_OCTAVE).astype(np.int64)
        self._buckets += np.bincount(places, minlength=len(self._buckets))

    def merge(self, other: "LatencyHistogram") -> None:
        """Count those of another one, too."""
        self.count += other.count
        self.total += other.total
        self.greatest = max(self.greatest, other.greatest)
        self.zeros += other.zeros
        self._buckets += other._buckets

    @property
    def mean(self) -> float | None:
        """Of all times, in ns; None without any."""
        return self.total / self.count if self.count else None

    def percentile(self, part: float) -> float | None:
        """What `part` % of the times did not exceed, in ns; None without any."""
        if not self.count:
            return None
        # The nearest rank, as statistics/percentiles.py has it.
        return self.at_rank(max(1, -(-self.count * round(part * 1000) // 100_000)))

    def at_rank(self, rank: int) -> float:
        """The time, in ns, at this place from 1 to `count` in ascending order."""
        if rank == self.count:
            return float(self.greatest)
        if rank <= self.zeros:
            return 0.0
        place = int(np.searchsorted(np.cumsum(self._buckets), rank - self.zeros))
        return self._time_of(place)

    def buckets(self) -> Iterator[tuple[float, int]]:
        """Each time in ns that a bucket stands for, ascending, and how many there are."""
        if self.zeros:
            yield 0.0, self.zeros
        for place in np.flatnonzero(self._buckets).tolist():
            yield self._time_of(place), int(self._buckets[place])

    def _time_of(self, place: int) -> float:
        return min(float(2 ** ((place + 0.5) / _PER_OCTAVE)), float(self.greatest))
