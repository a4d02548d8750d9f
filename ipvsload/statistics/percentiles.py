"""The few statistics that results are made of.

Percentiles are nearest-rank on the exact values: the smallest recorded value
that at least p percent do not exceed. So each is a latency that some request
really had, and no bucket rounds it.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(ordered: Sequence[float], p: float) -> float:
    """Nearest-rank percentile of values in ascending order; p in (0, 100].

    Raises ValueError where there are no values.
    """
    if not ordered:
        raise ValueError("no values")
    # In whole thousandths of a percent: 0.07 * 100 is not 7 in binary fractions.
    rank = -(-len(ordered) * round(p * 1000) // 100_000)
    return ordered[max(rank, 1) - 1]


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over the repeats of a scheduler."""

    median: float
    min: float
    max: float


def spread(values: Sequence[float | None]) -> Spread | None:
    """Median and range of the values that there are; None where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(statistics.median(known), min(known), max(known))
