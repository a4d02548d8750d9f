"""Latency by percentile: few points of each run, and what repeats have in common.

Percentiles stand on an axis of 1/(1-p), as in HdrHistogram's plots: 90 % at 10, 99 % at 100. One
request in so many is slower. Pure: from latencies to numbers.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

PER_DECADE = 12
DECADES = 7
_STEPS = (round(10 ** (k / PER_DECADE), 9) for k in range(PER_DECADE * DECADES + 1))
STEPS = (2.0, *(step for step in _STEPS if step > 2))
"""1/(1-p) at each point, from the median (2) on: below it is not what anybody waits for."""


@dataclass(frozen=True, slots=True)
class PercentileBand:
    """A column's latencies at the first of STEPS: least, median and greatest of its runs."""

    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]
    runs: int

    def at(self, step: float) -> tuple[float, float, float] | None:
        """Median, least and greatest at one of STEPS; None where it is not supported."""
        place = STEPS.index(step)
        if place >= len(self.middle):
            return None
        return self.middle[place], self.low[place], self.high[place]


def percentile_curve(ordered: Sequence[float]) -> tuple[float, ...]:
    """The nearest-rank percentile at each of STEPS that so many ascending values support.

    That is each at which one value or more is greater in rank: of n values those to 1/(1-p) = n.
    """
    count = len(ordered)
    return tuple(
        ordered[max(0, count - 1 - int(count / step + 1e-9))] for step in STEPS if step <= count
    )


def over_repeats(curves: Sequence[Sequence[float]]) -> PercentileBand | None:
    """What the runs of a column have in common, as far as the shortest of the curves goes.

    Runs without a value do not count; None where none has one.
    """
    known = [curve for curve in curves if curve]
    if not known:
        return None
    points = list(zip(*known, strict=False))
    return PercentileBand(
        tuple(map(min, points)),
        tuple(map(statistics.median, points)),
        tuple(map(max, points)),
        len(known),
    )
