"""How great a difference is: the estimates of Hodges and Lehmann, with their intervals.

Of pairs it is the median of the means of all pairs of differences (Walsh averages, each
difference with itself, too); of two samples the median of all differences between one of the
one and one of the other (Hodges and Lehmann, "Estimates of Location Based on Rank Tests",
Annals of Mathematical Statistics 34, 1963). The interval has those shifts that the signed-rank
test, or that of Mann and Whitney, does not reject; with ties it is a little too wide
(Hollander and Wolfe, Nonparametric Statistical Methods, sections 3.3 and 4.3).
"""

import statistics
from collections.abc import Sequence
from itertools import combinations_with_replacement

from ipvsload.statistics import mann_whitney, signed_rank

Estimate = tuple[float, tuple[float, float] | None]
"""The difference, and its interval; None where there are too few values for one."""


def of_pairs(differences: Sequence[float], level: float = 0.95) -> Estimate:
    """Of paired differences. Raises StatisticsError without any."""
    averages = sorted((x + y) / 2 for x, y in combinations_with_replacement(differences, 2))
    outside = signed_rank.outside_interval(len(differences), level)
    return statistics.median(averages), _within(averages, outside)


def of_samples(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Estimate:
    """By how much `b` is shifted against `a`. Raises StatisticsError where either is empty."""
    shifts = sorted(y - x for x in a for y in b)
    outside = mann_whitney.outside_interval(len(a), len(b), level)
    return statistics.median(shifts), _within(shifts, outside)


def _within(ordered: Sequence[float], outside: int | None) -> tuple[float, float] | None:
    return None if outside is None else (ordered[outside], ordered[-1 - outside])
