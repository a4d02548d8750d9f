"""How many blocks would show a difference, in 4 of 5 experiments.

The normal approximation of the test's power, with the efficiency of ranks against means, 3 / pi
for normal differences (Hodges and Lehmann, "The Efficiency of Some Nonparametric Competitors
of the t-Test", Annals of Mathematical Statistics 27, 1956), and never fewer than what the exact
test needs for its least p to reach the level.
"""

import math

from ipvsload.statistics.normal import normal_quantile

POWER = 0.8
EFFICIENCY = 3 / math.pi


def blocks_needed(deviation: float, difference: float, level: float) -> int:
    """Pairs that show such a difference; their differences deviate by so much (standard).

    `difference` is positive and in the unit of `deviation`; `level` is that of one test, to
    both sides.
    """
    return max(_by_power(deviation, difference, level), least_blocks(level))


def runs_needed(deviation: float, difference: float, level: float) -> int:
    """The same of runs a side that are not paired; each of both sides deviates by so much."""
    return max(_by_power(math.sqrt(2) * deviation, difference, level), least_runs(level))


def least_blocks(level: float) -> int:
    """So many pairs that all differ to one side are significant: 2 of 2^n signs are."""
    return max(1, math.ceil(math.log2(2 / level)))


def least_runs(level: float) -> int:
    """So many runs a side are significant where all of one are greater than all of the other."""
    least = 1
    while 2 / math.comb(2 * least, least) > level:
        least += 1
    return least


def _by_power(deviation: float, difference: float, level: float) -> int:
    z = normal_quantile(1 - level / 2) + normal_quantile(POWER)
    return math.ceil((z * deviation / difference) ** 2 / EFFICIENCY)
