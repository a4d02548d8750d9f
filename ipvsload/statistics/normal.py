"""The normal distribution: how probable a value so far from the mean is by chance."""

import math
import statistics


def normal_beyond(z: float) -> float:
    """The probability that a standard normal value is at least this far from 0, to either side."""
    return math.erfc(abs(z) / math.sqrt(2))


def normal_above(z: float) -> float:
    """The probability that a standard normal value is at least this."""
    return math.erfc(z / math.sqrt(2)) / 2


def normal_quantile(part: float) -> float:
    """The standard normal value below which this part of all is; between 0 and 1, not these."""
    return statistics.NormalDist().inv_cdf(part)
