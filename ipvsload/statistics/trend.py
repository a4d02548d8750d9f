"""Whether values rise or fall in the course of time: the test of Mann and Kendall.

It counts the pairs in which the later value is the greater one, and those in which it is the
smaller one, and so needs no distribution of the values (Mann, "Nonparametric Tests against
Trend", Econometrica 13, 1945; Kendall, Rank Correlation Methods, 1948). Values that depend on
their neighbours drift for a while without a trend. So the variance is multiplied by what such
a dependence makes of it (Yue and Wang, "The Mann-Kendall Test Modified by Effective Sample
Size", Water Resources Management 18, 2004).
"""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

from ipvsload.statistics.normal import normal_beyond


class Trend(NamedTuple):
    """Kendall's tau (-1: always falls, 1: always rises), its p-value, and how steep it is.

    `change` is the whole change from the first value to the last one along the median
    slope of all pairs (Sen, "Estimates of the Regression Coefficient Based on Kendall's
    Tau", Journal of the American Statistical Association 63, 1968).
    """

    tau: float
    p: float
    change: float


def trend(values: Sequence[float]) -> Trend:
    """The trend of values in the order of time, a few hundred at most: it looks at all pairs.

    Raises ValueError for fewer than three.
    """
    n = len(values)
    if n < 3:
        raise ValueError("fewer than three values")
    pairs = list(combinations(range(n), 2))
    signs = sum((values[j] > values[i]) - (values[j] < values[i]) for i, j in pairs)
    slope = statistics.median((values[j] - values[i]) / (j - i) for i, j in pairs)
    spread = (_pairs_variance(n) - sum(map(_pairs_variance, Counter(values).values()))) / 18
    spread *= _inflation([value - slope * i for i, value in enumerate(values)])
    # A step towards 0, because the sum of signs is a whole number.
    z = (abs(signs) - 1) / math.sqrt(spread) if signs and spread > 0 else 0.0
    return Trend(signs / len(pairs), normal_beyond(z), slope * (n - 1))


def _inflation(rest: Sequence[float]) -> float:
    """(1 + r) / (1 - r), r the correlation of neighbours in what is left without the trend."""
    mean = statistics.fmean(rest)
    square = sum((value - mean) ** 2 for value in rest)
    if square <= 0:
        return 1.0
    both = sum((a - mean) * (b - mean) for a, b in pairwise(rest))
    r = min(max(both / square, 0.0), 0.95)
    return (1 + r) / (1 - r)


def _pairs_variance(n: int) -> int:
    return n * (n - 1) * (2 * n + 5)
