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
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def effective_sample_size(values: Sequence[float] | NDArray[Any]) -> float | None:
    """From 1 to the number of values, which are in the order of time.

    None for fewer than 100: ten batches of ten are the least that say something.
    """
    n = len(values)
    if n < 100:
        return None
    size = math.isqrt(n)
    batches = np.asarray(values)[: n // size * size].reshape(-1, size)
    means = batches.mean(axis=1)
    mean = batches.mean()
    variance = sum(float(((batch - mean) ** 2).sum()) for batch in batches) / batches.size
    of_means = float(((means - mean) ** 2).sum()) / (len(means) - 1)
    if of_means <= 0:
        return float(n)
    return min(float(n), max(1.0, n * variance / (size * of_means)))
