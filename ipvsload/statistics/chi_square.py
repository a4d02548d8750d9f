"""The chi-square distribution: how probable a sum of squares is by chance.

It is a regularised incomplete gamma function, by its series below the mean and by its
continued fraction above (Press et al., Numerical Recipes, section 6.2), which here are right
to 1e-10.
"""

import math

_MOST_TERMS = 100_000
_ENOUGH = 1e-14


def chi_square_below(statistic: float, freedom: float) -> float:
    """The probability that a chi-square value with so many degrees of freedom is at most this."""
    return 1 - chi_square_above(statistic, freedom)


def chi_square_above(statistic: float, freedom: float) -> float:
    """The probability that a chi-square value with so many degrees of freedom is more than this.

    Raises ValueError where `freedom` is not positive.
    """
    if freedom <= 0:
        raise ValueError("no degrees of freedom")
    a, x = freedom / 2, statistic / 2
    if x <= 0:
        return 1.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        return min(1.0, max(0.0, 1 - scale * _series(a, x)))
    return min(1.0, scale * _fraction(a, x))


def _series(a: float, x: float) -> float:
    term = total = 1 / a
    for n in range(1, _MOST_TERMS):
        term *= x / (a + n)
        total += term
        if term < total * _ENOUGH:
            break
    return total


def _fraction(a: float, x: float) -> float:
    """Lentz's algorithm."""
    b = x + 1 - a
    c, d = math.inf, 1 / b
    value = d
    for n in range(1, _MOST_TERMS):
        numerator = -n * (n - a)
        b += 2
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        value *= d * c
        if abs(d * c - 1) < _ENOUGH:
            break
    return value
