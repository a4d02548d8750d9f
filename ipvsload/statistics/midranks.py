"""The ranks of values, of which equal ones share the mean of theirs."""

from collections.abc import Sequence
from itertools import groupby


def midranks(values: Sequence[float]) -> list[float]:
    """The rank of each value, from 1; a midrank is a whole number or a half."""
    ranks = [0.0] * len(values)
    done = 0
    order = sorted(range(len(values)), key=values.__getitem__)
    for _, group in groupby(order, key=values.__getitem__):
        equal = list(group)
        for i in equal:
            ranks[i] = done + (len(equal) + 1) / 2
        done += len(equal)
    return ranks
