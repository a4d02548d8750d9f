"""Whether one sample has greater values than another: the test of Mann and Whitney.

For recordings that share no blocks. If both are of one distribution, each choice of as many
ranks is equally probable, which is exact with ties, too (Mann and Whitney, "On a Test of
Whether one of Two Random Variables is Stochastically Larger than the Other", Annals of
Mathematical Statistics 18, 1947). Beyond fifty values it is the normal limit, with the
variance that ties leave (Hollander and Wolfe, Nonparametric Statistical Methods, section 4.1).
"""

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from ipvsload.statistics.midranks import midranks
from ipvsload.statistics.normal import normal_above, normal_quantile
from ipvsload.statistics.rank_sums import choices_up_to
from ipvsload.statistics.rank_test import RankTest

MOST_EXACT = 50
"""Values of both samples together."""


def mann_whitney(a: Sequence[float], b: Sequence[float]) -> RankTest:
    """The test of `b` against `a`. Where all values are the same nothing can be said: all is 1."""
    both = [*a, *b]
    ties = len(set(both)) < len(both)
    exact = len(both) <= MOST_EXACT
    if len(set(both)) < 2 or not a or not b:
        return RankTest(1.0, 1.0, 1.0, ties, exact)
    doubled = [round(2 * rank) for rank in midranks(both)]
    of_b = sum(doubled[len(a) :])
    least = min(1.0, 2 / math.comb(len(both), len(a)))
    if exact:
        ranks, total = tuple(sorted(doubled)), sum(doubled)
        less = choices_up_to(ranks, len(b), of_b)
        # What is not chosen has the rest of the sum.
        greater = choices_up_to(ranks, len(a), total - of_b)
        return RankTest(greater, less, least, ties, exact)
    n = len(both)
    middle = len(b) * (n + 1)
    lost = sum(t**3 - t for t in Counter(both).values()) / (n * (n - 1))
    spread = math.sqrt(len(a) * len(b) / 12 * (n + 1 - lost)) * 2
    return RankTest(
        normal_above((of_b - middle - 1) / spread),
        normal_above((middle - of_b - 1) / spread),
        least,
        ties,
        exact,
    )


@lru_cache(maxsize=1024)
def outside_interval(m: int, n: int, level: float = 0.95) -> int | None:
    """So many of the differences at each end are outside the interval of this level.

    None where even all of them inside have a lower level: 95 % takes four a side.
    """
    beyond = (1 - level) / 2
    if m + n > MOST_EXACT:
        spread = math.sqrt(m * n * (m + n + 1) / 12)
        outside = math.floor(m * n / 2 - normal_quantile(1 - beyond) * spread)
        return outside if outside >= 0 else None
    ranks = tuple(range(2, 2 * (m + n) + 1, 2))
    least = m * (m + 1)
    outside = -1
    while choices_up_to(ranks, m, least + 2 * (outside + 1)) <= beyond:
        outside += 1
    return outside if outside >= 0 else None
