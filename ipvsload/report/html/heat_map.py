"""Servers by time as a picture: active connections of more servers than lines can show.

A cell is the greatest value that a sample had there, so that no peak is lost. Pure up to the
picture's bytes.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipvsload.report.html.chart_series import Point
from ipvsload.report.html.indexed_png import Colour, data_uri, indexed_png
from ipvsload.report.wording import figure

FROM_SERVERS = 13
MOST_ROWS = 200
"""Of more servers, several share a row: the greatest of them."""
CELLS = 100
"""So many stretches of time."""
RAMP: tuple[Colour, ...] = (
    (238, 242, 246), (158, 202, 225), (66, 146, 198), (8, 81, 156), (8, 28, 66),
)  # fmt: skip
"""From nothing to the greatest value: one hue, ever darker, which needs no colour vision. The
style sheet has the same colours for the legend (charts.css)."""
_LEVELS = 255

Grid = list[list[float | None]]
"""A row a server, a value a stretch of time; None where nothing is known."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """One column's picture. `y_ticks` are servers' numbers as (percent from above, text)."""

    label: str
    about: str
    picture: str
    height: int
    alternative: str
    y_ticks: Sequence[tuple[float, str]]
    servers_a_row: int


def heat_grid(
    points: Mapping[str, Sequence[Point]], servers: Sequence[str], end: float, cells: int = CELLS
) -> Grid:
    """The greatest value of each server in each of `cells` stretches of 0 to `end` seconds.

    A value holds until the next point, the last one for no time. Servers without points have a
    row of None.
    """
    return [_row(points.get(address, ()), end, cells) for address in servers]


def _row(points: Sequence[Point], end: float, cells: int) -> list[float | None]:
    times = [t for t, _ in points]
    row: list[float | None] = []
    for cell in range(cells):
        begin, until = end * cell / cells, end * (cell + 1) / cells
        first, last = bisect_right(times, begin), bisect_left(times, until)
        inside = points[max(0, first - 1) : last]
        known = [value for _, value in inside if value is not None]
        row.append(max(known, default=None) if last and begin <= times[-1] else None)
    return row


def share_rows(grid: Grid, most: int = MOST_ROWS) -> tuple[Grid, int]:
    """The grid with at most so many rows, and how many servers share one."""
    each = -(-len(grid) // most) or 1
    shared = [grid[at : at + each] for at in range(0, len(grid), each)]
    return [
        [max((v for v in cell if v is not None), default=None) for cell in zip(*rows, strict=True)]
        for rows in shared
    ], each


def heat_map(label: str, grid: Grid, greatest: float, end: float) -> HeatMap:
    """Draw a grid on a scale from 0 to `greatest`; `end` is in seconds."""
    rows, each = share_rows(grid)
    picture = indexed_png(
        [bytes(_level(value, greatest) for value in row) for row in rows], _palette()
    )
    height = max(120, min(280, len(rows) * 6))
    known = [
        (value, -number, -cell)
        for number, row in enumerate(grid, 1)
        for cell, value in enumerate(row)
        if value is not None
    ]
    if known:
        value, number, cell = max(known)
        when = -cell * end / len(grid[0])
        peak = f"at most {figure(value)}, on server {-number} at {figure(round(when, 1))} s"
        mean = figure(sum(value for value, _, _ in known) / len(known))
        told = f"{peak}; {mean} on average"
    else:
        told = "nothing recorded"
    return HeatMap(
        label=label,
        about=peak if known else told,
        picture=data_uri(picture),
        height=height,
        alternative=f"Active connections under {label}, a row a server, over {figure(end)} s: "
        + told
        + (f"; {each} servers a row" if each > 1 else ""),
        y_ticks=_numbers(len(grid), each * len(rows)),
        servers_a_row=each,
    )


def _level(value: float | None, greatest: float) -> int:
    """A place in the palette: 0 where nothing is known, 1 for 0, the last for the greatest."""
    if value is None:
        return 0
    return 1 + round((_LEVELS - 1) * min(1.0, value / greatest if greatest else 0.0))


def _palette() -> list[Colour]:
    return [(0, 0, 0), *(_colour(level / (_LEVELS - 1)) for level in range(_LEVELS))]


def _colour(part: float) -> Colour:
    place = part * (len(RAMP) - 1)
    left = min(int(place), len(RAMP) - 2)
    rest = place - left
    red, green, blue = (
        round(a + (b - a) * rest) for a, b in zip(RAMP[left], RAMP[left + 1], strict=True)
    )
    return red, green, blue


def _numbers(servers: int, rows: int) -> list[tuple[float, str]]:
    """Where the first, the last and some round numbers of servers stand."""
    step = next(n for n in (5, 10, 20, 50, 100, 200, 500, 1000) if servers / n <= 5)
    told = [1, *(n for n in range(step, servers, step) if servers - n >= step / 2), servers]
    return [(round((number - 0.5) / rows * 100, 2), str(number)) for number in told]
