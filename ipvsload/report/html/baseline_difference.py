"""A column against the baseline by one measure, in percent of the baseline's median.

Pairs stand in the order of the scenario, so the baseline may be either of the two. Where its
median is 0 there is no percent of it, and differences stay in the measure's unit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipvsload.report.measure_words import part_words
from ipvsload.report.pair_words import is_equivalent, more_words, than_words
from ipvsload.report.wording import figure
from ipvsload.results.pair_comparison import Interval, MeasuredColumn, PairComparison, PairVerdict
from ipvsload.scenario.measures.base import Unit

MINUS = "\u2212"
_WHOLE = 9.95
"""From so many percent on nobody needs tenths."""
_UNITS: dict[Unit, str] = {"fraction": "points", "number": "", "truth": "", "1/s": "/s"}
_SCALES: dict[Unit, float] = {"fraction": 100.0}
"""A part is told in percentage points."""
_TOLD = ("less", "greater")


@dataclass(frozen=True, slots=True)
class BaselineDifference:
    """The difference column - baseline with all that is drawn of it, and the verdict on column.

    `margin` is half the width of what counts as equivalent, and `blocks` are the differences
    of the single blocks, where runs are paired. All are in `unit`, which is percent where
    `relative`.
    """

    column: MeasuredColumn
    pair: PairComparison
    verdict: PairVerdict
    difference: float | None
    ci95: Interval | None
    margin: float
    blocks: tuple[float, ...]
    relative: bool
    unit: str

    @property
    def tested(self) -> bool:
        """Whether there were enough blocks to show anything."""
        return self.pair.tests > 0 or self.verdict != "~"

    @property
    def word(self) -> str:
        """What is shown: "quicker", "equivalent", "~"."""
        if not self.tested:
            return "too few runs"
        if self.verdict in _TOLD:
            return side_word(self.column, self.verdict)
        return self.verdict

    @property
    def hint(self) -> str:
        """What the word leaves out: what would show more, or that it is little."""
        if self.verdict == "~" and self.tested:
            more = more_words(self.pair)
            return more.removeprefix("; ") if self.pair.more_blocks else f"none is shown{more}"
        small = self.verdict in _TOLD and is_equivalent(self.pair)
        return f"and equivalent within {part_words(self.pair.margin)}" if small else ""

    @property
    def told(self) -> tuple[str, str]:
        """The difference and its interval: "-39 %" and "[-41, -38]"; "" for what is not known."""
        if self.difference is None:
            return "", ""
        ends = f"[{', '.join(map(self._rounded, self.ci95))}]" if self.ci95 else ""
        return f"{self._rounded(self.difference)} {self.unit}".strip(), ends

    def _rounded(self, value: float) -> str:
        """No more of a percent than interests anybody."""
        return signed(round(value, 1 if abs(value) < _WHOLE else None) if self.relative else value)


def signed(value: float) -> str:
    """A number with its sign."""
    sign = "" if not value else MINUS if value < 0 else "+"
    return f"{sign}{figure(abs(value))}"


def axis_unit(base: MeasuredColumn) -> str:
    """The unit of differences to this column."""
    return "%" if base.median else _UNITS.get(base.unit, base.unit)


def side_word(column: MeasuredColumn, side: PairVerdict) -> str:
    """What it is called to be less, or greater, by this column's measure: "quicker"."""
    told = than_words(column, less=side == "less").removesuffix(" than")
    return told.removeprefix("is ").removeprefix("has ")


def baseline_differences(
    base: MeasuredColumn, columns: Sequence[MeasuredColumn], pairs: Sequence[PairComparison]
) -> Mapping[str, BaselineDifference]:
    """The differences of all columns that were compared with `base` by its measure, by label."""
    by_label = {column.label: column for column in columns if column is not base}
    found = {}
    for pair in pairs:
        if pair.measure == base.measure and base.label in (pair.a, pair.b):
            other = by_label.get(pair.b if pair.a == base.label else pair.a)
            if other is not None:
                found[other.label] = _difference(base, other, pair)
    return found


def _difference(
    base: MeasuredColumn, column: MeasuredColumn, pair: PairComparison
) -> BaselineDifference:
    scale = 100 / abs(base.median) if base.median else _SCALES.get(base.unit, 1.0)
    if pair.b == base.label:
        pair = pair.turned
    ends = pair.difference_ci95
    of_base = dict(base.blocks)
    return BaselineDifference(
        column=column,
        pair=pair,
        verdict=pair.verdict,
        difference=None if pair.difference is None else pair.difference * scale,
        ci95=None if ends is None else (ends[0] * scale, ends[1] * scale),
        margin=pair.margin * abs(pair.median[0] or 0.0) * scale,
        blocks=tuple(
            (value / of_base[repeat] - 1) * 100 if pair.ratio else (value - of_base[repeat]) * scale
            for repeat, value in column.blocks
            if pair.paired and repeat in of_base
        ),
        relative=bool(base.median),
        unit=axis_unit(base),
    )
