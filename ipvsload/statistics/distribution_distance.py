"""How far values are from a distribution, whatever their number: an effect size.

A test of thirty thousand values rejects what matters to nobody. The greatest distance between
the two distribution functions (that of Kolmogorov and Smirnov) says how many of the values
are wrong, and it does not grow with their number.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 1 << 16


def distribution_distance(
    ordered: Sequence[float] | NDArray[np.float64],
    distribution: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    tolerance: float = 0.0,
) -> float:
    """From 0 to 1; `ordered` are the values in ascending order, `distribution` their function.

    With a tolerance, values count as right that are wrong by so much at most: it is the
    greatest distance that is left when each may be moved by it. Raises ValueError where
    there are no values.
    """
    n = len(ordered)
    if not n:
        raise ValueError("no values")
    values = np.asarray(ordered, np.float64)
    greatest = 0.0
    for begin in range(0, n, _AT_ONCE):
        some = values[begin : begin + _AT_ONCE]
        places = np.arange(begin, begin + len(some))
        too_many = (places + 1) / n - distribution(some + tolerance)
        too_few = distribution(some - tolerance) - places / n
        greatest = max(greatest, float(too_many.max()), float(too_few.max()))
    return greatest
