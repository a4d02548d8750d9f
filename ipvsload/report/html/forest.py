"""A forest plot a measure: each column's difference to the baseline on an axis that all share.

Places are in percent of the plot's width, and so a row fits a phone and a wide screen alike. A
mark has a shape a verdict, because not everybody sees its colour.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from ipvsload.report.html.baseline_difference import (
    BaselineDifference,
    axis_unit,
    baseline_differences,
    side_word,
    signed,
)
from ipvsload.report.html.svg import SIZE, Axis, dots_path
from ipvsload.report.measure_words import amount, measure_words, p_words
from ipvsload.report.pair_words import pair_sentence
from ipvsload.report.wording import DASH
from ipvsload.results.pair_comparison import Interval, MeasuredColumn, PairVerdict
from ipvsload.results.results import Results
from ipvsload.scenario.measures.base import Unit

Kind = Literal["baseline", "good", "bad", "changed", "equivalent", "undecided", "untested"]
BLOCK_ROOM = 0.5
"""Single blocks may widen an axis by this part of what intervals and margins take, a side."""
_EDGE = 0.04
"""Of the axis, so that a mark at its end is whole."""
_CAP = 170
"""Half the height of the marks at an interval's ends."""
_BLOCKS_AT = 0.16
"""How high single blocks lie in a row, from below: under the interval."""
_TICKS = 8
_WHOLE = Axis(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One column of the report. Places are in percent, None where there is nothing to draw.

    `inside` is the difference's interval and `line` its path, `hint` what would show more, and
    `blocks` a path of dots.
    `sentence` says in words all that is drawn.
    """

    label: str
    median: str
    interval: str
    kind: Kind
    word: str
    difference: str = ""
    inside: str = ""
    hint: str = ""
    chance: str = ""
    sentence: str = ""
    mark: float | None = None
    margin: tuple[float, float] | None = None
    line: str = ""
    blocks: str = ""


@dataclass(frozen=True, slots=True)
class Forest:
    """The rows of a measure on one axis, which has its zero and `ticks` at places in percent.

    `left` and `right` are words for a difference to that side and whether it is good. `beyond`
    counts the blocks that are outside of the axis. `warnings` say of whom they are.
    """

    measure: str
    title: str
    baseline: str
    rows: tuple[ForestRow, ...]
    zero: float
    ticks: tuple[tuple[float, str], ...]
    left: tuple[str, Kind]
    right: tuple[str, Kind]
    beyond: int
    warnings: tuple[str, ...]


def by_measure(columns: Iterable[MeasuredColumn]) -> dict[str, list[MeasuredColumn]]:
    """All columns of each measure, in their order."""
    found: dict[str, list[MeasuredColumn]] = {}
    for column in columns:
        found.setdefault(column.measure, []).append(column)
    return found


def one_value(columns: Sequence[MeasuredColumn]) -> bool:
    """Whether all runs of all these columns have the same value: there is nothing to draw."""
    return len({value for column in columns for _, value in column.blocks}) < 2


def forests(results: Results) -> list[Forest]:
    """A forest a measure, without those that have one value everywhere or one column only."""
    return [
        _forest(results, columns)
        for columns in by_measure(results.columns).values()
        if not _nothing_to_draw(columns)
    ]


def undrawn(results: Results) -> list[tuple[str, str]]:
    """The measures that have no forest, and what they are: "87.9 ms [72.9-127 ms]"."""
    return [
        (measure_words(measure), f"{amount(first.median, first.unit)} {ends}".strip())
        for measure, columns in by_measure(results.columns).items()
        if _nothing_to_draw(columns)
        for first in columns[:1]
        for ends in ("" if one_value(columns) else _interval(first.ci95, first.unit),)
    ]


def _nothing_to_draw(columns: Sequence[MeasuredColumn]) -> bool:
    return len(columns) == 1 or one_value(columns)


def verdict_kind(one: BaselineDifference) -> Kind:
    """How a verdict is marked."""
    match one.verdict:
        case "less" | "greater":
            return _side_kind(one.column, one.verdict)
        case "equivalent":
            return "equivalent"
        case _:
            return "undecided" if one.tested else "untested"


def told_of(warnings: Iterable[tuple[str, str]], everybody: Collection[str]) -> tuple[str, ...]:
    """Warnings as (of whom, what), each once: "lc, sed: ...", without names if of everybody."""
    who: dict[str, dict[str, None]] = {}
    for label, warning in warnings:
        who.setdefault(warning, {})[label] = None
    return tuple(
        warning if len(labels) == len(everybody) > 1 else f"{', '.join(labels)}: {warning}"
        for warning, labels in who.items()
    )


def _forest(results: Results, columns: Sequence[MeasuredColumn]) -> Forest:
    first = columns[0]
    base = next((c for c in columns if c.label == results.baseline), first)
    found = baseline_differences(base, columns, results.comparison)
    axis = _axis(found.values())
    return Forest(
        measure=first.measure,
        title=measure_words(first.measure),
        baseline=base.label,
        rows=tuple(_row(column, base, found, axis) for column in columns),
        zero=_place(axis, 0.0),
        ticks=tuple(
            (_place(axis, tick), signed(tick) if tick else f"0 {axis_unit(base)}".strip())
            for tick in _ticks(axis)
        ),
        left=(side_word(first, "less"), _side_kind(first, "less")),
        right=(side_word(first, "greater"), _side_kind(first, "greater")),
        beyond=sum(not _inside(axis, block) for one in found.values() for block in one.blocks),
        warnings=told_of(
            [(label, warning) for label, one in found.items() for warning in one.pair.warnings]
            + [(c.label, warning) for c in columns for warning in c.warnings],
            [c.label for c in columns],
        ),
    )


def _side_kind(column: MeasuredColumn, side: PairVerdict) -> Kind:
    if column.better is None:
        return "changed"
    return "good" if side == column.better else "bad"


def _row(
    column: MeasuredColumn,
    base: MeasuredColumn,
    found: Mapping[str, BaselineDifference],
    axis: Axis,
) -> ForestRow:
    row = partial(
        ForestRow,
        label=column.label,
        median=amount(column.median, column.unit),
        interval=_interval(column.ci95, column.unit),
    )
    one = found.get(column.label)
    if one is None:
        return row(kind="baseline", word="baseline" if column is base else "not compared")
    first = base if one.pair.a == base.label else column
    difference, inside = one.told
    dots = [(axis.place(block), _BLOCKS_AT) for block in one.blocks if _inside(axis, block)]
    return row(
        kind=verdict_kind(one),
        word=one.word,
        difference=difference,
        inside=inside,
        hint=one.hint,
        chance=p_words(one.pair.p_holm) if one.tested and one.pair.p_holm is not None else "",
        sentence=pair_sentence(one.pair, first, column if first is base else base),
        mark=None if one.difference is None else _place(axis, one.difference),
        margin=(_place(axis, -one.margin), _place(axis, one.margin)) if one.margin else None,
        line="" if one.ci95 is None else _bar(*map(axis.place, one.ci95)),
        blocks=dots_path(dots, _WHOLE, _WHOLE),
    )


def _interval(interval: Interval | None, unit: Unit) -> str:
    """In brackets, with one unit for both ends."""
    if interval is None:
        return ""
    low, high = (amount(end, unit) for end in interval)
    if low.partition(" ")[2] == high.partition(" ")[2]:
        low = low.partition(" ")[0]
    return f"[{low}{DASH}{high}]"


def _bar(low: float, high: float) -> str:
    """The path of an interval with its ends marked, in a box of SIZE by SIZE."""
    left, right, middle = round(low * SIZE), round(high * SIZE), SIZE // 2
    top, bottom = middle - _CAP, middle + _CAP
    return f"M{left} {middle}H{right}M{left} {top}V{bottom}M{right} {top}V{bottom}"


def _axis(found: Collection[BaselineDifference]) -> Axis:
    """All intervals, estimates and margins, and of the single blocks what is not far off."""
    values = [0.0]
    for one in found:
        values += [-one.margin, one.margin, *(one.ci95 or ())]
        values += [] if one.difference is None else [one.difference]
    low, high = min(values), max(values)
    room = (high - low) * BLOCK_ROOM
    blocks = [block for one in found for block in one.blocks]
    low = max(low - room, min([low, *blocks]))
    high = min(high + room, max([high, *blocks]))
    edge = (high - low) * _EDGE or 1.0
    return Axis(low - edge, high + edge)


def _inside(axis: Axis, value: float) -> bool:
    return axis.low <= value <= axis.high


def _ticks(axis: Axis) -> list[float]:
    """Round values on the axis, 0 among them."""
    least = (axis.high - axis.low) / _TICKS
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= least)
    return [i * step for i in range(math.ceil(axis.low / step), math.floor(axis.high / step) + 1)]


def _place(axis: Axis, value: float) -> float:
    return round(axis.place(value) * 100, 1)
