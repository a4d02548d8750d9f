"""Percentiles of exact values, by nearest rank.

The p-th percentile is the smallest value that at least p percent of all values
do not exceed. So each is a latency that some request really had, and nothing
rounds it.
"""

from collections.abc import Sequence


def percentile(ordered: Sequence[float], p: float) -> float:
    """Nearest-rank percentile of values in ascending order; p in (0, 100].

    Raises ValueError where there are no values.
    """
    if not ordered:
        raise ValueError("no values")
    # In whole thousandths of a percent: 0.07 * 100 is not 7 in binary fractions.
    rank = -(-len(ordered) * round(p * 1000) // 100_000)
    return ordered[max(rank, 1) - 1]
