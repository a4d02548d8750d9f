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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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

Position = Callable[[NDArray[Any]], NDArray[np.float64]]
"""How many arrivals are expected in so many seconds after the class's start."""
_AT_ONCE = 1 << 16


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
    planned_us: Sequence[NDArray[Any]],
    sent_us: Sequence[NDArray[Any]],
    expected: Position,
) -> tuple[ProcessTest, ...]:
    """The tests of a class's arrivals; none where there are too few, or no process.

    Args:
        process: "even" or "poisson".
        planned_us: for each start of the class, when its requests were due, in µs after
            the start, ascending.
        sent_us: the same of when they were sent.
        expected: how many arrivals are asked for until then.
    """
    if process not in ("even", "poisson"):
        return ()
    gaps, seconds = _gaps_of(planned_us, expected)
    if len(gaps) < LEAST_ARRIVALS:
        return ()
    for places in _places(gaps):
        arrivals = float(places[-1])
    if arrivals <= 0:
        return ()
    at_random = process == "poisson"
    rate = arrivals / seconds
    tests = [_rate(len(gaps), arrivals, at_random)]
    width = max(BIN_ARRIVALS, BIN_SECONDS * rate)
    counts = _binned(gaps, int(arrivals / width), width)
    if at_random:
        _draw_fractions(gaps, RESOLUTION_S * rate)
        gaps.sort()
        tests.append(_gaps(gaps))
        gaps, _ = _gaps_of(sent_us, expected)
        gaps.sort()
        tests.append(_gaps_as_sent(gaps, GAP_TOLERANCE_S * rate))
    if len(counts) >= 3:
        tests.append(_counts(counts, width, at_random))
    return tuple(tests)


def _gaps_of(
    starts_us: Sequence[NDArray[Any]], expected: Position
) -> tuple[NDArray[np.float64], float]:
    """All gaps in the changed time, and how many seconds it took."""
    gaps = np.empty(sum(max(0, len(times) - 1) for times in starts_us))
    at, seconds = 0, 0.0
    for times in starts_us:
        for begin in range(0, len(times) - 1, _AT_ONCE):
            some = np.diff(expected(times[begin : begin + _AT_ONCE + 1] / 1e6))
            gaps[at : at + len(some)] = some
            at += len(some)
        seconds += float(times[-1] / 1e6 - times[0] / 1e6)
    return gaps, seconds


def _places(gaps: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Where the gaps lead to, one after the other; some at a time."""
    reached = 0.0
    for begin in range(0, len(gaps), _AT_ONCE):
        some = gaps[begin : begin + _AT_ONCE].copy()
        some[0] += reached
        places = np.cumsum(some)
        yield places
        reached = float(places[-1])


def _rate(gaps: int, whole: float, at_random: bool) -> ProcessTest:
    """Twice a sum of n exponential gaps is chi-square with 2 n degrees of freedom."""
    p = None
    if at_random:
        below = chi_square_below(2 * whole, 2 * gaps)
        p = min(1.0, 2 * min(below, chi_square_above(2 * whole, 2 * gaps)))
    effect = gaps / whole
    limits = (1 - RATE_LIMIT, 1 + RATE_LIMIT)
    return _test("rate: chi-square of the sum of gaps", whole, p, effect, limits)


def _draw_fractions(gaps: NDArray[np.float64], unit: float) -> None:
    """In the gaps of times whose fractions of a unit were cut off, put others in their place.

    A Poisson process has no gap of 0, and in a record of whole microseconds it has many. The
    fractions are drawn, always the same ones.
    """
    dice = np.random.RandomState([0])  # draws what Python's random.Random(0) draws
    last = dice.random_sample(1)
    for begin in range(0, len(gaps), _AT_ONCE):
        some = gaps[begin : begin + _AT_ONCE]
        fractions = np.concatenate([last, dice.random_sample(len(some))])
        some[:] = np.abs(some + unit * np.diff(fractions))
        last = fractions[-1:]


def _gaps(ordered: NDArray[np.float64]) -> ProcessTest:
    effect = distribution_distance(ordered, _exponential)
    for begin in range(0, len(ordered), _AT_ONCE):  # in their place: they may be ten million
        ordered[begin : begin + _AT_ONCE] = _exponential(ordered[begin : begin + _AT_ONCE])
    found = anderson_darling(ordered)
    return _test("gaps: Anderson-Darling", found.statistic, found.p, effect, (0, DISTANCE_LIMIT))


def _gaps_as_sent(ordered: NDArray[np.float64], tolerance: float) -> ProcessTest:
    """The limit is wider by as much as chance makes of the distance with this level.

    That is the inequality of Dvoretzky, Kiefer and Wolfowitz (Massart, "The Tight Constant
    in the Dvoretzky-Kiefer-Wolfowitz Inequality", Annals of Probability 18(3), 1990).
    """
    effect = distribution_distance(ordered, _exponential, tolerance)
    by_chance = math.sqrt(math.log(2 / (LEVEL / TESTS)) / (2 * len(ordered)))
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


def _exponential(gaps: NDArray[np.float64]) -> NDArray[np.float64]:
    return -np.expm1(-np.maximum(gaps, 0.0))


def _binned(gaps: NDArray[np.float64], bins: int, width: float) -> list[int]:
    """How many are in each bin; the first arrival is in none, and the last bin must be whole."""
    counts = np.zeros(bins + 1, np.int64)
    for places in _places(gaps):
        which = np.minimum((places / width).astype(np.int64), bins)
        counts[which[0] : which[-1] + 1] += np.bincount(which - which[0])
    found: list[int] = counts[:bins].tolist()
    return found
