"""Whether values are uniform on 0 to 1: the test of Anderson and Darling.

Values of any known continuous distribution become uniform by its distribution function, so
this tests any of them. It weighs the ends of the distribution more than the test of
Kolmogorov and Smirnov does, and so sees the many short gaps of a bursty generator.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LEAST = 1e-300
"""A value at an end would be infinitely far out."""
_AT_ONCE = 1 << 16


class AndersonDarling(NamedTuple):
    """The statistic (A squared), and how probable such a one or a greater one is by chance."""

    statistic: float
    p: float


def anderson_darling(ordered: Sequence[float] | NDArray[np.float64]) -> AndersonDarling:
    """The test of values in ascending order, each from 0 to 1.

    Raises ValueError where there are no values. The probability is that of Marsaglia and
    Marsaglia, "Evaluating the Anderson-Darling Distribution", Journal of Statistical
    Software 9(2), 2004, and right to some 1e-6.
    """
    n = len(ordered)
    if not n:
        raise ValueError("no values")
    values = np.asarray(ordered, np.float64)
    backwards = values[::-1]
    total = 0.0
    for begin in range(0, n, _AT_ONCE):
        below = np.maximum(values[begin : begin + _AT_ONCE], _LEAST)
        above = np.maximum(1 - backwards[begin : begin + _AT_ONCE], _LEAST)
        weights = 2 * np.arange(begin, begin + len(below)) + 1
        total += float(np.sum(weights * (np.log(below) + np.log(above))))
    statistic = -n - total / n
    return AndersonDarling(statistic, _exceeded(n, statistic))


def _exceeded(n: int, statistic: float) -> float:
    below = _limit(statistic)
    # Of a value far out, the correction would be all that is left.
    correction = _correction(n, below) if below < 1 - 1e-5 else 0.0
    return min(1.0, max(0.0, 1 - below - correction))


def _limit(z: float) -> float:
    """The distribution function of the statistic of infinitely many values (their `adinf`)."""
    if z <= 0:
        return 0.0
    if z < 2:
        of = (2.00012, 0.247105, -0.0649821, 0.0347962, -0.011672, 0.00168691)
        return math.exp(-1.2337141 / z) / math.sqrt(z) * _polynomial(of, z)
    if z > 30:
        return 1.0
    of = (1.0776, -2.30695, 0.43424, -0.082433, 0.008056, -0.0003146)
    return math.exp(-math.exp(_polynomial(of, z)))


def _correction(n: int, x: float) -> float:
    """What the distribution function of n values is more than that limit (their `errfix`)."""
    if x > 0.8:
        of = (-130.2137, 745.2337, -1705.091, 1950.646, -1116.360, 255.7844)
        return _polynomial(of, x) / n
    edge = 0.01265 + 0.1757 / n
    if x < edge:
        t = x / edge
        t = math.sqrt(t) * (1 - t) * (49 * t - 102)
        return t * (0.0037 / n**2 + 0.00078 / n + 0.00006) / n
    t = (x - edge) / (0.8 - edge)
    of = (-0.00022633, 6.54034, -14.6538, 14.458, -8.259, 1.91864)
    return _polynomial(of, t) * (0.04213 + 0.01365 / n) / n


def _polynomial(coefficients: Sequence[float], x: float) -> float:
    """The sum of the coefficients, each times the next power of x."""
    total = 0.0
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total
