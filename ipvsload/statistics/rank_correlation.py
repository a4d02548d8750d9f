"""How much a value goes with the one before it: Spearman's rank correlation at lag 1.

Ranks, because latencies have tails: one of a second would decide alone. Latencies of one run
depend on each other where they met the same queue, which is no fault, but then many of them
say less than as many independent ones would.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ipvsload.statistics.midranks import midranks
from ipvsload.statistics.normal import normal_beyond


class SerialCorrelation(NamedTuple):
    """Spearman's rho of each value and the next one, and its p-value."""

    rho: float
    p: float


def serial_correlation(values: Sequence[float]) -> SerialCorrelation:
    """The rank correlation of neighbours, of values in the order of time.

    The p-value is that of a normal rho * sqrt(n - 1), n pairs (Hollander and Wolfe,
    Nonparametric Statistical Methods, section 8.5). Raises ValueError for fewer than
    three values. Where all are the same, rho is 0.
    """
    pairs = len(values) - 1
    if pairs < 2:
        raise ValueError("fewer than three values")
    rho = _pearson(midranks(values[:-1]), midranks(values[1:]))
    return SerialCorrelation(rho, normal_beyond(rho * math.sqrt(pairs - 1)))


def _pearson(xs: Sequence[float], ys: Sequence[float]) -> float:
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    both = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    square_x = sum((x - mean_x) ** 2 for x in xs)
    square_y = sum((y - mean_y) ** 2 for y in ys)
    spread = math.sqrt(square_x * square_y)
    return both / spread if spread > 0 else 0.0
