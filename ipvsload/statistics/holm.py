"""Many tests at once: p-values of which the least is as safe as that of a single test.

By Holm's steps one true hypothesis or more is rejected in 5 % of all experiments at most, as by
Bonferroni's rule, and more false ones are (Holm, "A Simple Sequentially Rejective Multiple Test
Procedure", Scandinavian Journal of Statistics 6, 1979).

A test of few blocks has a least p that it cannot go below, however its signs fall. One whose
least p is above what the others leave of the level can never be rejected, and is not counted
(Tarone, "A Modified Bonferroni Method for Discrete Data", Biometrics 46, 1990). That is
known without the signs, and so costs nothing.
"""

from collections.abc import Sequence


def holm(ps: Sequence[float]) -> list[float]:
    """The corrected p-value of each."""
    corrected = [1.0] * len(ps)
    greatest = 0.0
    for done, i in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        greatest = max(greatest, min(1.0, ps[i] * (len(ps) - done)))
        corrected[i] = greatest
    return corrected


def countable(least: Sequence[float], level: float = 0.05) -> list[bool]:
    """Which tests count, of which these are the least possible p-values.

    Where none can be rejected, all count whose least p is not 1.
    """
    some = [one < 1 for one in least]
    for many in range(1, sum(some) + 1):
        counted = [one <= level / many for one in least]
        if sum(counted) <= many:
            return counted if any(counted) else some
    return some
