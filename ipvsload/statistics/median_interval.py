"""The interval of a median, by the order of the values alone.

How many values lie below the true median is binomial, whatever their distribution. The
interval goes from the k-th least value to the k-th greatest, with the greatest k for which it
still covers the median in so many experiments or more (David and Nagaraja, Order Statistics,
section 7.1).
"""

import math
from collections.abc import Sequence
from functools import lru_cache

LEAST_VALUES = 6
"""Of five, the least and the greatest have the median between them in 93.75 % only."""


def median_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """The interval; None of too few values for this level: 95 % takes six."""
    outside = _outside(len(values), level)
    if outside is None:
        return None
    ordered = sorted(values)
    return ordered[outside], ordered[-1 - outside]


@lru_cache(maxsize=1024)
def _outside(n: int, level: float) -> int | None:
    """So many values at each end are outside."""
    # Whole numbers up to the comparison: 2^n has more digits than a float.
    beyond, outside = 0, -1
    while outside + 1 < n and 2 * (beyond + math.comb(n, outside + 1)) <= (1 - level) * 2**n:
        outside += 1
        beyond += math.comb(n, outside)
    return outside if outside >= 0 else None
