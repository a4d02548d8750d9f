"""Whether requests were sent as the process that was asked for: even, or Poisson.

Time is changed first, so that one arrival is expected in each unit of it, however the rate goes
up and down: a Poisson process of any rate is then one of rate 1 (Brown et al., "Statistical
Analysis of a Telephone Call Center", Journal of the American Statistical Association 100, 2005,
section 4; Kim and Whitt, "Are Call Center and Hospital Arrivals Well Modeled by Nonhomogeneous
Poisson Processes?", M&SOM 16(3), 2014). That load generators fail such tests is shown by Kogias,
Mallon and Bugnion, "Lancet: A Self-correcting Latency Measuring Tool", USENIX ATC 2019.

Of the planned times these are tested: the rate, the gaps from each arrival to the next, and the
counts in short bins, which see bursts whose gaps look right. Limits of lateness (arrivals.py)
tie what was sent to the plan; but within these a generator could still send in small bursts, so
the gaps of what was sent are looked at, too. A test rejects only where chance is no excuse
(LEVEL) and the deviation is so great that it matters (the limits): of many arrivals a test sees
everything, of few it sees nothing.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ipvsload.statistics.anderson_darling import anderson_darling
from ipvsload.statistics.chi_square import chi_square_above, chi_square_below
from ipvsload.statistics.dispersion import dispersion
from ipvsload.statistics.distribution_distance import distribution_distance

LEVEL = 1e-4
"""The probability that a right class fails: ten classes in a run are one in a thousand runs."""
TESTS = 4
LEAST_ARRIVALS = 100
"""Of fewer, tests of this level could say nothing."""
RATE_LIMIT = 0.02
"""What part of the rate may be missing, or too much."""
DISTANCE_LIMIT = 0.1
"""What part of the gaps may be wrong."""
GAP_TOLERANCE_S = 0.001
"""By how much a gap may be wrong: requests that are due together are sent one after the other."""
RESOLUTION_S = 1e-6
"""Of the times in a record."""
BIN_ARRIVALS = 10
BIN_SECONDS = 0.025
"""So many arrivals are expected in a bin, and more where it would be shorter."""
POISSON_DISPERSION = (2 / 3, 3 / 2)
EVEN_DISPERSION = 0.5

Position = Callable[[float], float]
"""How many arrivals are expected in so many seconds after the class's start."""


@dataclass(frozen=True, slots=True)
class ProcessTest:
    """One test of the arrivals: what was tested, and what came out.

    `p` is None where there is no chance in what was asked for. `effect` is how much it is off, and
    it matters outside of `limits`. `passed` unless p is less than `level` and the
    effect matters.
    """

    test: str
    statistic: float
    p: float | None
    level: float
    effect: float
    limits: tuple[float, float]
    passed: bool


def process_tests(
    process: str,
    planned: Sequence[Sequence[float]],
    sent: Sequence[Sequence[float]],
    expected: Position,
) -> tuple[ProcessTest, ...]:
    """The tests of a class's arrivals; none where there are too few, or no process.

    Args:
        process: "even" or "poisson".
        planned: for each start of the class, when its requests were due, in seconds after
            the start, ascending.
        sent: the same of when they were sent.
        expected: how many arrivals are asked for until then.
    """
    gaps, places, seconds = _on_one_line(planned, expected)
    if len(gaps) < LEAST_ARRIVALS or process not in ("even", "poisson") or places[-1] <= 0:
        return ()
    at_random = process == "poisson"
    rate = places[-1] / seconds
    tests = [_rate(gaps, at_random)]
    if at_random:
        tests.append(_gaps(_with_fractions(gaps, RESOLUTION_S * rate)))
        tests.append(_gaps_as_sent(_on_one_line(sent, expected)[0], GAP_TOLERANCE_S * rate))
    width = max(BIN_ARRIVALS, BIN_SECONDS * rate)
    counts = _binned(places, width)
    if len(counts) >= 3:
        tests.append(_counts(counts, width, at_random))
    return tuple(tests)


def _on_one_line(
    starts: Sequence[Sequence[float]], expected: Position
) -> tuple[list[float], list[float], float]:
    """All gaps in the changed time, the places that they lead to, and how many seconds it took."""
    gaps: list[float] = []
    seconds = 0.0
    for times in starts:
        gaps += [b - a for a, b in pairwise(map(expected, times))]
        seconds += times[-1] - times[0] if times else 0.0
    places = [0.0]
    for gap in gaps:
        places.append(places[-1] + gap)
    return gaps, places, seconds


def _rate(gaps: Sequence[float], at_random: bool) -> ProcessTest:
    """Twice a sum of n exponential gaps is chi-square with 2 n degrees of freedom."""
    whole = sum(gaps)
    p = None
    if at_random:
        below = chi_square_below(2 * whole, 2 * len(gaps))
        p = min(1.0, 2 * min(below, chi_square_above(2 * whole, 2 * len(gaps))))
    effect = len(gaps) / whole
    limits = (1 - RATE_LIMIT, 1 + RATE_LIMIT)
    return _test("rate: chi-square of the sum of gaps", whole, p, effect, limits)


def _with_fractions(gaps: Sequence[float], unit: float) -> list[float]:
    """The gaps of times whose fractions of a unit were cut off, with others in their place.

    A Poisson process has no gap of 0, and in a record of whole microseconds it has many. The
    fractions are drawn, always the same ones.
    """
    dice = random.Random(0)
    fractions = [dice.random() for _ in range(len(gaps) + 1)]
    return [
        abs(gap + unit * (b - a)) for gap, (a, b) in zip(gaps, pairwise(fractions), strict=True)
    ]


def _gaps(gaps: Sequence[float]) -> ProcessTest:
    ordered = sorted(gaps)
    found = anderson_darling([_exponential(gap) for gap in ordered])
    effect = distribution_distance(ordered, _exponential)
    return _test("gaps: Anderson-Darling", found.statistic, found.p, effect, (0, DISTANCE_LIMIT))


def _gaps_as_sent(gaps: Sequence[float], tolerance: float) -> ProcessTest:
    """The limit is wider by as much as chance makes of the distance with this level.

    That is the inequality of Dvoretzky, Kiefer and Wolfowitz (Massart, "The Tight Constant
    in the Dvoretzky-Kiefer-Wolfowitz Inequality", Annals of Probability 18(3), 1990).
    """
    effect = distribution_distance(sorted(gaps), _exponential, tolerance)
    by_chance = math.sqrt(math.log(2 / (LEVEL / TESTS)) / (2 * len(gaps)))
    limits = (0, DISTANCE_LIMIT + by_chance)
    return _test("gaps as sent: distance of the distributions", effect, None, effect, limits)


def _counts(counts: Sequence[int], width: float, at_random: bool) -> ProcessTest:
    found = dispersion(counts, width)
    p = found.p if at_random else None
    limits = POISSON_DISPERSION if at_random else (0.0, EVEN_DISPERSION)
    return _test("dispersion of counts: chi-square", found.value, p, found.value, limits)


def _test(
    test: str, statistic: float, p: float | None, effect: float, limits: tuple[float, float]
) -> ProcessTest:
    level = LEVEL / TESTS  # so that all of them together have it (Bonferroni)
    by_chance = p is not None and p >= level
    passed = by_chance or limits[0] <= effect <= limits[1]
    return ProcessTest(test, statistic, p, level, effect, limits, passed)


def _exponential(gap: float) -> float:
    return -math.expm1(-gap) if gap > 0 else 0.0


def _binned(places: Sequence[float], width: float) -> list[int]:
    """How many are in each bin; the first arrival is in none, and the last bin must be whole."""
    counts = [0] * int(places[-1] / width)
    for place in places[1:]:
        which = int(place / width)
        if which < len(counts):
            counts[which] += 1
    return counts
