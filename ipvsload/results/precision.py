"""How narrow the intervals of an experiment are by now, and whether more blocks are needed.

The rule of `--repeats auto`. It looks at how wide intervals are and never at where they lie, so
it does not go on until something is significant. Yet the number of blocks is then random, and
depends on how much the runs happened to vary; see docs/comparing.md.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from ipvsload.results.column_difference import column_difference
from ipvsload.results.comparison_plan import column_order, comparison_plan
from ipvsload.results.judgement import RunMeasures
from ipvsload.results.measured_columns import measured_columns
from ipvsload.results.pair_comparison import Interval, MeasuredColumn
from ipvsload.results.results import RunResult
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.words import counted, number

LEAST_BLOCKS = 10
"""Fewer say too little of how much runs vary: an interval may be narrow by luck."""


MeasuredRun = tuple[RunResult, RunMeasures]


class Width(NamedTuple):
    """Half of an interval: of `label` by `measure`, against `baseline` where there is one.

    `part` is of the baseline's median (without one, of its own), of a share in parts of the
    whole; infinite where there are too few blocks for an interval.
    """

    part: float
    measure: str
    label: str
    baseline: str | None

    def words(self) -> str:
        """As people read it: "+- 7.1 % (latency_p95{class=short} of lc against rr)"."""
        how = (
            f"+- {number(round(self.part * 100, 2))} %"
            if math.isfinite(self.part)
            else "still unknown"
        )
        against = f" against {self.baseline}" if self.baseline else ""
        return f"{how} ({self.measure} of {self.label}{against})"


def widest(columns: Sequence[MeasuredColumn], baseline: str | None) -> Width | None:
    """The widest of all; None where nothing was measured that has a width."""
    return max(_widths(columns, baseline), key=lambda one: one.part, default=None)


def _widths(columns: Sequence[MeasuredColumn], baseline: str | None) -> Iterator[Width]:
    alone = all(one.label == baseline for one in columns)
    for measure, same in groupby(columns, key=lambda one: one.measure):
        of_label = {one.label: one for one in same if one.blocks}
        base = of_label.pop(baseline or "", None)
        if base is None or base.median is None:
            continue
        whole = 1.0 if base.unit == "fraction" else abs(base.median)
        if alone:
            yield Width(_part(base.ci95, whole), measure, base.label, None)
        for label, one in of_label.items():
            found = column_difference(base, one, 0.0)
            if found is None:
                continue
            ci95 = found.ci95
            # Where the baseline's median is 0, no part of it is narrow enough: nothing is asked.
            if whole or ci95 is None:
                yield Width(_part(ci95, whole), measure, label, base.label)


def _part(ci95: Interval | None, whole: float) -> float:
    if ci95 is None:
        return math.inf
    half = (ci95[1] - ci95[0]) / 2
    return half / whole if whole else 0.0


class BlockDecision(NamedTuple):
    """What is to be told after a block, and why it was the last one; None where it was not."""

    words: str
    ends: str | None


def decide(
    scenario: Scenario,
    measured: Sequence[MeasuredRun],
    labels: Sequence[str],
    blocks: int,
    most: int,
    precision: float,
) -> BlockDecision:
    """After so many blocks, of `most`: whether the intervals are narrower than `precision`.

    `measured` are the runs of these blocks, of the columns `labels`.
    """
    plan = comparison_plan(scenario)
    order = column_order((run.label for run, _ in measured), labels)
    columns = measured_columns(measured, order, plan.measures)
    return decision(widest(columns, plan.baseline_among(order)), blocks, most, precision)


def decision(found: Width | None, blocks: int, most: int, precision: float) -> BlockDecision:
    """The same where the widest interval is known."""
    asked = f"+- {number(round(precision * 100, 4))} %"
    now = f"the widest interval is {found.words()}" if found else "nothing was measured"
    words = f"{counted(blocks, 'block')}: {now}; asked for: {asked}"
    if found and found.part <= precision and blocks >= LEAST_BLOCKS:
        return BlockDecision(words, f"{now}, not wider than {asked}")
    if blocks >= most:
        return BlockDecision(words, f"the limit of {counted(most, 'block')} was reached; {now}")
    if found and found.part > precision and math.isfinite(found.part):
        # An interval's width goes with the root of the number of blocks.
        words += f", as some {math.ceil(blocks * (found.part / precision) ** 2)} blocks give it"
    return BlockDecision(words, None)


def note(blocks: int, reason: str) -> str:
    """What such an end means for p-values, for people."""
    return (
        f"--repeats auto ended after {counted(blocks, 'block')}: {reason}. It looked at how wide"
        " intervals are and not at differences, so it did not wait for something to be"
        " significant; but nobody had fixed the number of blocks, and so intervals are a little"
        " too narrow and p-values a little too small"
    )
