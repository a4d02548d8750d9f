"""A chart with a line a column, each with its label at its end; and where labels find room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipvsload.report.html import svg
from ipvsload.report.html.column_styles import ColumnStyle

LEAST_HEIGHT = 260
LABEL_HEIGHT = 17
"""Pixels; the template's style sheet sets labels in lines of so much."""
FEW = 6
"""Up to so many bands are shown at once; of more, those of the columns that a reader picks."""


@dataclass(frozen=True, slots=True)
class ColumnCurve:
    """A column's values before they are scaled: x ascends; `band` is (x, lower, upper)."""

    label: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float, float]] = ()


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """One drawn column. `place` is where its label stands, in percent from above."""

    label: str
    style: ColumnStyle
    line: str
    band: str
    lead: str
    """From the line's end to the right edge, in units of svg.SIZE."""
    end: float
    """How far from above the line ends, in percent."""
    place: float


@dataclass(frozen=True, slots=True)
class ColumnChart:
    """A chart: lines in the order of their labels from above, ticks as (percent, text).

    `headers` and `rows` say the same as a table, a row a column.
    """

    title: str
    unit: str
    lines: Sequence[ColumnLine]
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    height: int
    alternative: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    even: float | None = None
    """Where all would be alike, in percent from below."""

    @property
    def name_length(self) -> int:
        """How many letters the longest label has."""
        return max((len(line.label) for line in self.lines), default=0)

    @property
    def few(self) -> bool:
        """Whether all bands can be shown at once."""
        return len(self.lines) <= FEW


def column_lines(
    curves: Sequence[ColumnCurve],
    styles: Mapping[str, ColumnStyle],
    x: svg.Axis,
    y: svg.Axis,
) -> tuple[list[ColumnLine], int]:
    """Draw the curves that have points, and the height in pixels at which all labels have room."""
    known = [curve for curve in curves if curve.points]
    height = max(LEAST_HEIGHT, LABEL_HEIGHT * len(known))
    ends = [(1 - y.place(curve.points[-1][1])) * 100 for curve in known]
    places = spread_labels(ends, 100 * LABEL_HEIGHT / height)
    lines = []
    for curve, end, place in zip(known, ends, places, strict=True):
        right = round(x.place(curve.points[-1][0]) * svg.SIZE)
        lead = f"M{right} {round(end * 10)}H{svg.SIZE}" if right < svg.SIZE else ""
        lines.append(
            ColumnLine(
                curve.label,
                styles[curve.label],
                svg.line_path(curve.points, x, y),
                svg.band_path(curve.band, x, y),
                lead,
                round(end, 2),
                round(place, 2),
            )
        )
    return sorted(lines, key=lambda line: line.place), height


def spread_labels(wished: Sequence[float], gap: float) -> list[float]:
    """Places for labels, `gap` apart at least, near the `wished` ones; all in percent, 0 to 100.

    Labels keep the order of their wishes. Those that are too near each other share the room
    around their mean (pooled neighbours). There must be room for all: gap * len(wished) <= 100.
    """
    order = sorted(range(len(wished)), key=lambda i: wished[i])
    groups: list[tuple[float, int]] = []  # the middle of a group and how many are in it
    for i in order:
        groups.append((_inside(wished[i], 1, gap), 1))
        while len(groups) > 1:
            (upper, above), (lower, below) = groups[-2:]
            if lower - upper >= gap * (above + below) / 2 - 1e-9:
                break
            many = above + below
            middle = (upper * above + lower * below) / many
            groups[-2:] = [(_inside(middle, many, gap), many)]
    placed = (middle + gap * (k - (many - 1) / 2) for middle, many in groups for k in range(many))
    found = dict(zip(order, placed, strict=True))
    return [found[i] for i in range(len(wished))]


def _inside(middle: float, many: int, gap: float) -> float:
    half = gap * many / 2
    return min(max(middle, half), 100 - half)
