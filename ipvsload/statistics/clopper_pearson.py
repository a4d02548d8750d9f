"""The interval of a share that was counted: so many of so many.

Exact: each end is the share under which so many or more, or so few or fewer, would be seen in
2.5 % of all experiments (Clopper and Pearson, "The Use of Confidence or Fiducial Limits
Illustrated in the Case of the Binomial", Biometrika 26(4), 1934).
"""

import math

_HALVINGS = 60


def clopper_pearson(count: int, whole: int, level: float = 0.95) -> tuple[float, float]:
    """The interval, 0 to 1, of the share that `count` of `whole` are a sample of.

    Raises ValueError unless 0 <= count <= whole and whole > 0.
    """
    if not 0 <= count <= whole or not whole:
        raise ValueError("not a part of a whole")
    beyond = (1 - level) / 2
    return 1 - _highest(whole - count, whole, beyond), _highest(count, whole, beyond)


def _highest(count: int, whole: int, beyond: float) -> float:
    """The share under which `count` or fewer are seen with the probability `beyond`."""
    if count == whole:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_most(count, whole, middle) > beyond:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _at_most(count: int, whole: int, share: float) -> float:
    """The binomial distribution function, for a share between 0 and 1."""
    odds, ways = math.log(share) - math.log1p(-share), math.lgamma(whole + 1)
    none = whole * math.log1p(-share)
    return math.fsum(
        math.exp(ways - math.lgamma(k + 1) - math.lgamma(whole - k + 1) + k * odds + none)
        for k in range(count + 1)
    )
