"""Whether paired differences lie around 0: Wilcoxon's signed-rank test.

If they do, each difference could as well have the other sign. So all signs of the ranks of
their sizes are equally probable, which is exact with ties, too; differences of 0 have no sign
and are left out (Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics 1, 1945).
Beyond fifty pairs it is the normal limit, with the variance that ties leave (Hollander and
Wolfe, Nonparametric Statistical Methods, section 3.1).
"""

import math
from collections.abc import Sequence
from functools import lru_cache

from ipvsload.statistics.midranks import midranks
from ipvsload.statistics.normal import normal_above, normal_quantile
from ipvsload.statistics.rank_sums import signs_up_to
from ipvsload.statistics.rank_test import RankTest

MOST_EXACT = 50


def signed_rank(differences: Sequence[float]) -> RankTest:
    """The test. Of no difference that is not 0 nothing can be said: all is 1."""
    told = [d for d in differences if d]
    n = len(told)
    sizes = [abs(d) for d in told]
    ties = len(set(sizes)) < len(differences)
    if not n:
        return RankTest(1.0, 1.0, 1.0, ties, exact=True)
    doubled = [round(2 * rank) for rank in midranks(sizes)]
    positive = sum(rank for rank, d in zip(doubled, told, strict=True) if d > 0)
    below, above = _tails(doubled, positive)
    return RankTest(above, below, min(1.0, 2.0 ** (1 - n)), ties, exact=n <= MOST_EXACT)


def _tails(doubled: Sequence[int], positive: int) -> tuple[float, float]:
    """How probable sums up to this one are, and from this one on."""
    total = sum(doubled)
    if len(doubled) <= MOST_EXACT:
        ranks = tuple(sorted(doubled))
        # Turning all signs round makes the one tail the other.
        return signs_up_to(ranks, positive), signs_up_to(ranks, total - positive)
    spread = math.sqrt(sum(rank * rank for rank in doubled)) / 2
    # Doubled sums go by twos where there are no ties: half such a step towards the middle.
    below = normal_above((total / 2 - positive - 1) / spread)
    above = normal_above((positive - total / 2 - 1) / spread)
    return below, above


@lru_cache(maxsize=1024)
def outside_interval(pairs: int, level: float = 0.95) -> int | None:
    """So many Walsh averages at each end are outside the interval of this level.

    None where even all of them inside have a lower level: 95 % takes six pairs.
    """
    beyond = (1 - level) / 2
    if pairs > MOST_EXACT:
        spread = math.sqrt(pairs * (pairs + 1) * (2 * pairs + 1) / 24)
        return math.floor(pairs * (pairs + 1) / 4 - normal_quantile(1 - beyond) * spread)
    ranks = tuple(range(2, 2 * pairs + 1, 2))
    outside = -1
    while signs_up_to(ranks, 2 * (outside + 1)) <= beyond:
        outside += 1
    return outside if outside >= 0 else None
