"""The normal distribution: how probable a value so far from the mean is by chance."""

import math


def normal_beyond(z: float) -> float:
    """The probability that a standard normal value is at least this far from 0, to either side."""
    return math.erfc(abs(z) / math.sqrt(2))
