"""Many tests at once: p-values of which the least is as safe as that of a single test.

By Holm's steps one true hypothesis or more is rejected in 5 % of all experiments at most, as by
Bonferroni's rule, and more false ones are (Holm, "A Simple Sequentially Rejective Multiple Test
Procedure", Scandinavian Journal of Statistics 6, 1979).

A test of few blocks has a least p that it cannot go below, however its signs fall. One whose
least p is above the level can never be rejected, and is not counted (Tarone, "A Modified
Bonferroni Method for Discrete Data", Biometrics 46, 1990). That is known without the signs, and
so costs nothing. (Tarone goes on to those that the others' number rules out. With Holm's steps
that can lose: a test that is too weak for the first step may be rejected at a later one.)
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
    found = [one <= level for one in least]
    return found if any(found) else [one < 1 for one in least]
