"""How far values are from a distribution, whatever their number: an effect size.

A test of thirty thousand values rejects what matters to nobody. The greatest distance between
the two distribution functions (that of Kolmogorov and Smirnov) says how many of the values
are wrong, and it does not grow with their number.
"""

from collections.abc import Callable, Sequence


def distribution_distance(
    ordered: Sequence[float], distribution: Callable[[float], float], tolerance: float = 0.0
) -> float:
    """From 0 to 1; `ordered` are the values in ascending order, `distribution` their function.

    With a tolerance, values count as right that are wrong by so much at most: it is the
    greatest distance that is left when each may be moved by it. Raises ValueError where
    there are no values.
    """
    n = len(ordered)
    if not n:
        raise ValueError("no values")
    greatest = 0.0
    for i, value in enumerate(ordered):
        too_many = (i + 1) / n - distribution(value + tolerance)
        too_few = distribution(value - tolerance) - i / n
        greatest = max(greatest, too_many, too_few)
    return greatest
