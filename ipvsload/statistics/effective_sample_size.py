"""As how many independent values the dependent ones of a run count: batch means.

The mean of a batch of independent values has their variance divided by the batch's size. How
much more the means of batches vary than that is how much less the values say together
(Flegal and Jones, "Batch Means and Spectral Variance Estimators in Markov Chain Monte
Carlo", Annals of Statistics 38(2), 2010; batches of the square root of n, as there). Batch
means need one pass; the sums of autocovariances of Geyer, "Practical Markov Chain Monte
Carlo", Statistical Science 7(4), 1992, need one for each lag, of which a queue near its
capacity has thousands.
"""

import math
import statistics
from collections.abc import Sequence


def effective_sample_size(values: Sequence[float]) -> float | None:
    """From 1 to the number of values, which are in the order of time.

    None for fewer than 100: ten batches of ten are the least that say something.
    """
    n = len(values)
    if n < 100:
        return None
    size = math.isqrt(n)
    batches = n // size
    used = values[: size * batches]
    means = [statistics.fmean(used[i : i + size]) for i in range(0, len(used), size)]
    mean = statistics.fmean(used)
    variance = sum((value - mean) ** 2 for value in used) / len(used)
    of_means = sum((value - mean) ** 2 for value in means) / (batches - 1)
    if of_means <= 0:
        return float(n)
    return min(float(n), max(1.0, n * variance / (size * of_means)))
