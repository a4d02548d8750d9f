"""One line a column: the measures under test with their intervals, against the baseline.

What the terminal prints first, and summary.md, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ipvsload.report.measure_words import amount, difference_words, measure_words, part_words
from ipvsload.report.pair_words import verdict_words
from ipvsload.report.wording import DASH, figure, named
from ipvsload.results.class_standings import FAILED
from ipvsload.results.pair_comparison import MeasuredColumn, PairComparison, PairVerdict
from ipvsload.results.results import Results, SchedulerSummary
from ipvsload.scenario.measures.base import Measure

MOST_SERVERS = 6
"""The connections of so many servers stand in a column's line."""
BASELINE = "baseline"
_TURNED: dict[PairVerdict, PairVerdict] = {"less": "greater", "greater": "less"}
_TOLD = ("ties", "left out")
"""Warnings that are no news: the test is exact with ties, and labels say how many runs count."""
_DIFFERENT = ("less", "greater")


@dataclass(frozen=True, slots=True)
class MeasureCells:
    """One measure: its `header`, and for each column its value and how it stands to the baseline.

    `against` is empty where nothing stands beside it: with one column.
    """

    header: str
    values: tuple[str, ...]
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnLines:
    """The lines' `labels` and what is in them; `connections` of each server where these are few."""

    labels: tuple[str, ...]
    measures: tuple[MeasureCells, ...]
    connections: MeasureCells | None


def column_lines(results: Results) -> ColumnLines:
    """The lines of all columns that were run. Failures have cells only where something failed."""
    columns = results.schedulers
    by_measure: dict[str, dict[str, MeasuredColumn]] = {}
    for one in results.columns:
        by_measure.setdefault(one.measure, {})[one.label] = one
    return ColumnLines(
        labels=tuple(map(_label, columns)),
        measures=tuple(
            _cells([found[c.label] for c in columns], results)
            for measure, found in by_measure.items()
            if Measure.of(measure).name != FAILED or _some(found)
        ),
        connections=_connections(columns),
    )


def _label(summary: SchedulerSummary) -> str:
    """The label, with what else decides, and how many runs do not count."""
    told = []
    if summary.valid < summary.repeats:
        told.append(f"{summary.valid} of {summary.repeats} valid")
    if summary.ended_early:
        told.append(f"{summary.ended_early} ended early")
    name = named(summary.label, summary.settings)
    return f"{name} ({', '.join(told)})" if told else name


def _some(found: Mapping[str, MeasuredColumn]) -> bool:
    return any(value for one in found.values() for _, value in one.blocks)


def _cells(columns: Sequence[MeasuredColumn], results: Results) -> MeasureCells:
    """The unit stands in the header where all values have the same."""
    texts = [amount(one.median, one.unit) for one in columns]
    units = {text.partition(" ")[2] for text in texts if text != DASH}
    (unit,) = units if len(units) == 1 else ("",)
    header = measure_words(columns[0].measure)
    base = next((one for one in columns if one.label == results.baseline), columns[0])
    return MeasureCells(
        f"{header}, {unit}" if unit else header,
        tuple(_value(text, one, unit) for text, one in zip(texts, columns, strict=True)),
        tuple(_against(one, base, results) for one in columns) if len(columns) > 1 else (),
    )


def _value(text: str, column: MeasuredColumn, unit: str) -> str:
    """Such as "131 [120, 140]"; the interval has no unit of its own."""
    if column.ci95 is None:
        return text.removesuffix(f" {unit}") if unit else text
    low, high = (amount(end, column.unit) for end in column.ci95)
    if low == high == text:
        return text.removesuffix(f" {unit}") if unit else text
    ends = [one.removesuffix(f" {unit}") if unit else one for one in (low, high)]
    return f"{text.removesuffix(f' {unit}') if unit else text} [{ends[0]}, {ends[1]}]"


def _against(column: MeasuredColumn, base: MeasuredColumn, results: Results) -> str:
    """How a column stands to the baseline: "70 % quicker", "~", "equivalent"."""
    if column is base:
        return BASELINE
    for pair in results.comparison:
        if pair.measure == column.measure and {pair.a, pair.b} == {column.label, base.label}:
            turned = pair.b == base.label
            return _standing(column, base, pair, turned=turned)
    return DASH


def _standing(
    column: MeasuredColumn, base: MeasuredColumn, pair: PairComparison, *, turned: bool
) -> str:
    if pair.difference is None:
        return DASH
    difference = -pair.difference if turned else pair.difference
    relative = bool(base.median)
    if pair.n[0] < 2:  # one run says by how much, and not whether that means something
        if not relative:
            return difference_words(difference, None, column.unit)
        part = part_words(difference / (base.median or 1.0))
        return part if part == "0 %" else f"{'-' if difference < 0 else '+'}{part}"
    if pair.verdict not in _DIFFERENT:
        return pair.verdict
    word = verdict_words(replace(pair, verdict=_TURNED[pair.verdict]) if turned else pair, column)
    if not relative or column.unit == "fraction":
        return f"{difference_words(difference, None, column.unit).lstrip('+-')}: {word}"
    return f"{part_words(difference / (base.median or 1.0))} {word}"


def _connections(columns: Sequence[SchedulerSummary]) -> MeasureCells | None:
    numbers = sorted({server.number for column in columns for server in column.servers})
    if not 1 < len(numbers) <= MOST_SERVERS:
        return None
    cells = []
    for column in columns:
        counts = {one.number: one.connections for one in column.servers}
        found = [counts.get(number) for number in numbers]
        if all(one is None for one in found):
            return None
        cells.append(" ".join(figure(one.median if one else None) for one in found))
    return MeasureCells(f"connections to {' '.join(map(str, numbers))}", tuple(cells), ())


def comparison_warnings(results: Results) -> list[str]:
    """What makes a value, or a difference to the baseline, doubtful; not that there are too few."""
    told = [
        f"{measure_words(one.measure)} of {one.label}: {warning}"
        for one in results.columns
        if one.ci95
        for warning in one.warnings
        if not warning.startswith(_TOLD)
    ]
    for pair in results.comparison:
        if results.baseline in (pair.a, pair.b) and pair.difference_ci95:
            told += [
                f"{measure_words(pair.measure)}, {pair.b} against {pair.a}: {warning}"
                for warning in pair.warnings
                if not warning.startswith(_TOLD)
            ]
    return told
