"""How often a scheduler, compared with itself, was called different: the self-check's result.

Each comparison is made as any other is, with a correction of its own for the measures under test.
So at most one of twenty may say that there is a difference, and the share's interval says what
so many comparisons can tell.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ipvsload.results.pair_comparison import Interval, MeasuredColumn, PairComparison
from ipvsload.results.pair_tests import LEVEL, pair_comparisons, pairs_of
from ipvsload.scenario.self_check import SelfCheck
from ipvsload.statistics.clopper_pearson import clopper_pearson

MOST = LEVEL
"""The share of comparisons that may be false alarms: the level of their tests."""
_DIFFERENT = ("less", "greater")


@dataclass(frozen=True, slots=True)
class MeasureAlarms:
    """One measure in all comparisons. `tested` are those in which the columns differed at all.

    Of these so many had a difference that is called more than noise, `alarms` with Holm's
    correction over the measures and `uncorrected` without; `equivalent` were called so.
    """

    measure: str
    tested: int
    alarms: int
    uncorrected: int
    equivalent: int


@dataclass(frozen=True, slots=True)
class SelfCheckResult:
    """What came of the comparisons of `label` with `again`, with `blocks` each.

    Of the `comparisons` that were made, `alarms` called them different by some measure.
    `share_ci95` is the interval of that share (Clopper and Pearson), None where none was made.
    `asked` is how many there should have been, and `left_out` how many blocks are in none, for
    want of a run that counts.
    """

    label: str
    again: str
    blocks: int
    asked: int
    comparisons: int
    left_out: int
    alarms: int
    share_ci95: Interval | None
    measures: tuple[MeasureAlarms, ...]

    @property
    def too_many(self) -> bool:
        """Whether the share is certainly above what it may be."""
        return self.share_ci95 is not None and self.share_ci95[0] > MOST


def self_check_result(
    check: SelfCheck, columns: Sequence[MeasuredColumn], margin: float
) -> SelfCheckResult:
    """Compare the columns over the blocks of each comparison by itself."""
    made = [
        pairs
        for pairs in _comparisons(check, columns, margin)
        if any(one.p is not None for one in pairs)
    ]
    alarms = sum(any(pair.verdict in _DIFFERENT for pair in pairs) for pairs in made)
    measures = dict.fromkeys(column.measure for column in columns)
    return SelfCheckResult(
        label=check.label,
        again=check.again,
        blocks=check.blocks,
        asked=check.comparisons,
        comparisons=len(made),
        left_out=len(set(range(1, check.repeats + 1)) - _whole(columns)),
        alarms=alarms,
        share_ci95=clopper_pearson(alarms, len(made)) if made else None,
        measures=tuple(_of_measure(measure, made) for measure in measures),
    )


def _whole(columns: Sequence[MeasuredColumn]) -> set[int]:
    """The blocks that all columns have by some measure."""
    by_label: dict[str, set[int]] = {column.label: set() for column in columns}
    for column in columns:
        by_label[column.label].update(block for block, _ in column.blocks)
    return set.intersection(*by_label.values()) if len(by_label) > 1 else set()


def _comparisons(
    check: SelfCheck, columns: Sequence[MeasuredColumn], margin: float
) -> Iterator[tuple[PairComparison, ...]]:
    for start in range(1, check.repeats + 1, check.blocks):
        blocks = range(start, start + check.blocks)
        pairs = tuple(pairs_of([_only(column, blocks) for column in columns]))
        yield pair_comparisons(pairs, margin)


def _only(column: MeasuredColumn, blocks: range) -> MeasuredColumn:
    """The column as these blocks alone show it; its interval is not needed."""
    found = tuple((block, value) for block, value in column.blocks if block in blocks)
    middle = statistics.median(value for _, value in found) if found else None
    return replace(column, blocks=found, median=middle, ci95=None)


def _of_measure(measure: str, made: Sequence[tuple[PairComparison, ...]]) -> MeasureAlarms:
    pairs = [one for pairs in made for one in pairs if one.measure == measure]
    return MeasureAlarms(
        measure,
        tested=sum(one.p is not None and one.least_p != 1 for one in pairs),
        alarms=sum(one.verdict in _DIFFERENT for one in pairs),
        uncorrected=sum(one.p is not None and one.p < LEVEL for one in pairs),
        equivalent=sum(one.verdict == "equivalent" for one in pairs),
    )
