"""Whether what was expected of two columns over all blocks holds: what their comparison says.

A comparison stands in the scenario's order of columns, and an expectation in the order in which
somebody wrote it, so it may be the other way round.
"""

import math
from collections.abc import Iterator, Sequence

from ipvsload.results.pair_comparison import PairComparison
from ipvsload.results.pair_tests import LEVEL
from ipvsload.results.results import ExpectationResult, RunResult
from ipvsload.scenario.comparison_expectation import ComparisonExpectation
from ipvsload.scenario.words import counted


def expected_comparison(
    expected: ComparisonExpectation,
    comparison: Sequence[PairComparison],
    runs: Sequence[RunResult],
) -> ExpectationResult:
    """The expectation over all runs; `measured` is the first column's less the second's.

    It is not asked where one of both was not run, or a run of it ended early.
    """
    if absent := list(_absent(expected, runs)):
        return ExpectationResult(str(expected), None, None, "; ".join(absent))
    pair = _pair(expected, comparison)
    if pair is None or not min(pair.n):
        return ExpectationResult(str(expected), None, False, "they have no blocks that count")
    held = _holds(expected, pair)
    reason = None if held else _why_not(expected, pair, comparison)
    return ExpectationResult(str(expected), pair.difference, held, reason)


def _holds(expected: ComparisonExpectation, pair: PairComparison) -> bool:
    """A difference that is shown may be within the margin: then both hold."""
    if expected.verdict == "equivalent":
        return pair.p_equivalent is not None and pair.p_equivalent < LEVEL
    return pair.verdict == expected.verdict


def _absent(expected: ComparisonExpectation, runs: Sequence[RunResult]) -> Iterator[str]:
    for label in expected.labels:
        of_label = [run for run in runs if run.label == label]
        if not of_label:
            yield f"{label} was not run"
        elif any(run.ended_early for run in of_label):
            yield f"a run of {label} ended early"


def _pair(
    expected: ComparisonExpectation, comparison: Sequence[PairComparison]
) -> PairComparison | None:
    """The comparison of both, as the first one against the second."""
    first, second = expected.labels
    for one in comparison:
        if one.measure != str(expected.measure):
            continue
        if (one.b, one.a) == (first, second):
            return one
        if (one.a, one.b) == (first, second):
            return one.turned
    return None


def _why_not(
    expected: ComparisonExpectation, pair: PairComparison, comparison: Sequence[PairComparison]
) -> str:
    blocks = min(pair.n)
    equivalence = expected.verdict == "equivalent"
    p = pair.p_equivalent if equivalence else pair.p_holm
    tests, least = _tests(pair, comparison, equivalence=equivalence)
    needed = math.ceil(math.log2(least / (LEVEL / tests)))
    if blocks < needed:
        return (
            f"{counted(blocks, 'block')} cannot show it among {counted(tests, 'test')}:"
            f" {needed} can"
        )
    if pair.verdict != "~":
        return f"it is {pair.verdict}"
    return "nothing is shown" + ("" if p is None else f": p {p:.2g} (Holm)")


def _tests(
    pair: PairComparison, comparison: Sequence[PairComparison], *, equivalence: bool
) -> tuple[int, float]:
    """How many tests it is one of, and the least p of one of n blocks, times 2^n.

    Where Holm counted none because they are too few for any, all count that differ at all.
    """
    if equivalence:
        return max(1, sum(one.p_equivalent is not None for one in comparison)), 1.0
    differing = sum(bool(one.difference) for one in comparison)
    return pair.tests or max(1, differing), 2.0
