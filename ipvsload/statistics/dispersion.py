"""Whether counts in equal bins vary as much as those of a Poisson process: their dispersion.

The index of dispersion is the mean of (count - expected)^2 / expected: 1 for a Poisson process, 0
where each bin has just what was expected, and b for arrivals in bursts of b at random
(Cox and Lewis, The Statistical Analysis of Series of Events, 1966, section 6.3). The sum
of those squares is about chi-square, with one degree of freedom a bin, where some arrivals
are expected in each.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ipvsload.statistics.chi_square import chi_square_above, chi_square_below


class Dispersion(NamedTuple):
    """The index, and how probable one that is so far from 1, to either side, is by chance."""

    value: float
    p: float


def dispersion(counts: Sequence[int], expected: float) -> Dispersion:
    """The dispersion of counts in bins in each of which `expected` arrivals are expected.

    Raises ValueError where there are no counts, or nothing is expected.
    """
    if not counts or expected <= 0:
        raise ValueError("no counts")
    total = sum((count - expected) ** 2 for count in counts) / expected
    more, less = chi_square_above(total, len(counts)), chi_square_below(total, len(counts))
    return Dispersion(total / len(counts), min(1.0, 2 * min(more, less)))
