"""One kind of value over time: every reading of the last minutes, and a coarse whole test.

A cell is what is known of one server or class in one piece of time; two
neighbouring cells can be merged into one. The rows are the recent readings. The
columns are pieces of equal width of the whole test: when there are too many, the
width doubles and neighbours merge, so a peak of the first minute is still there
after a week. The JSON of a row or column is made once, for all viewers.
"""

from collections import deque
from collections.abc import Callable, Container, Reversible, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from operator import attrgetter
from typing import Any, Generic, TypeVar

SPAN_US = 125_000_000
"""How far back the rows reach: two minutes, and a viewer's delay."""

_GAP_US = 80_000
_WIDTH_US = 250_000
# A cell is some eight bytes of text, and a page draws each.
_RECENT_CELLS = 160_000
_WHOLE_CELLS = 100_000
_MOST_COLUMNS = 512
_FEWEST_COLUMNS = 64
_BEFORE = -1
"""The index of the column that is open before anything came; half of it is -1, too."""

Cell = TypeVar("Cell")


@dataclass(slots=True)
class _Row:
    """Values of `keys` at a time, as JSON; `stamp` is from when the row was made."""

    stamp: int
    t_us: int
    keys: tuple[int, ...]
    text: str


@dataclass(slots=True)
class _Column(Generic[Cell]):
    """The piece of the whole test that has this index at the present width."""

    index: int
    cells: dict[int, Cell]
    stamp: int = 0
    row: _Row | None = None


_Stamped = TypeVar("_Stamped", _Row, _Column[Any])


class TimeSeries(Generic[Cell]):
    """The history of cells by key.

    Args:
        began_us: when the test began; in the JSON, times are ms since then.
        stamp: returns a larger number with each call.
        merge: makes one cell of two neighbouring ones.
        to_json: writes a cell as JSON's numbers, with commas in between.
    """

    def __init__(
        self,
        began_us: int,
        stamp: Callable[[], int],
        merge: Callable[[Cell, Cell], Cell],
        to_json: Callable[[Cell], str],
    ) -> None:
        self._began = began_us
        self._stamp = stamp
        self._merge = merge
        self._to_json = to_json
        self._t_us = began_us
        self._rows: deque[_Row] = deque()
        self._pending: dict[int, Cell] = {}
        self._row_us = began_us - _GAP_US
        self._keys: tuple[int, ...] = ()
        self._width = _WIDTH_US
        self._columns: list[_Column[Cell]] = []
        self._open = _Column[Cell](_BEFORE, {})
        self.dropped = 0
        """The stamp of the last row that was dropped, or of the last change of width."""

    def add(self, t_us: int, cells: dict[int, Cell]) -> None:
        """Take what was found at a time; a time before the last one is taken as the last one."""
        t_us = self._t_us = max(t_us, self._t_us)
        self._add_to_whole(t_us, cells)
        self._merge_into(self._pending, cells)
        # As many rows as there is room for, at equal distances.
        gap = max(_GAP_US, SPAN_US * len(cells) // _RECENT_CELLS)
        if t_us - self._row_us < gap:
            return
        rows = self._rows
        rows.append(self._row(self._stamp(), t_us, self._pending))
        self._pending, self._row_us = {}, t_us
        while rows[0].t_us < t_us - SPAN_US or len(rows) > SPAN_US // gap + 1:
            self.dropped = max(self.dropped, rows.popleft().stamp)

    def drop(self, keys: Container[int]) -> None:
        """Drop these keys from the columns; rows that have them are soon dropped themselves."""
        for column in (*self._columns, self._open):
            column.cells = {key: cell for key, cell in column.cells.items() if key not in keys}
            column.row = None

    def frame(self, after: int) -> str:
        """Return what came after a stamp, as JSON: {width, columns, open, rows}.

        All but `width`, that of a column in ms, are [[keys], [[t, values...],
        ...]], again and again; t is in ms since the test began, of a column its
        middle. `open` is the column that is not finished yet, where the rows do
        not reach back to its beginning.
        """
        columns = grouped([self._closed(column) for column in _newer(self._columns, after)])
        rows = grouped(_newer(self._rows, after))
        return (
            f'{{"width":{self._width // 1000},"columns":{columns},'
            f'"open":{grouped(self._open_row())},"rows":{rows}}}'
        )

    def _merge_into(self, sums: dict[int, Cell], cells: dict[int, Cell]) -> None:
        if not sums:
            sums.update(cells)
            return
        merge = self._merge
        for key, cell in cells.items():
            sums[key] = merge(sums[key], cell) if key in sums else cell

    def _row(self, stamp: int, t_us: int, cells: dict[int, Cell]) -> _Row:
        keys = tuple(cells)
        if keys != self._keys:  # else the one in use is kept, for all rows that have it
            self._keys = keys
        values = [str((t_us - self._began) // 1000), *map(self._to_json, cells.values())]
        return _Row(stamp, t_us, self._keys, f"[{','.join(values)}]")

    def _closed(self, column: _Column[Cell]) -> _Row:
        if column.row is None:
            middle = self._began + column.index * self._width + self._width // 2
            column.row = self._row(column.stamp, middle, column.cells)
        return column.row

    def _open_row(self) -> list[_Row]:
        begun = self._began + self._open.index * self._width
        if not self._rows or self._rows[0].t_us <= begun:
            return []
        return [self._row(0, (begun + self._t_us) // 2, self._open.cells)]

    def _add_to_whole(self, t_us: int, cells: dict[int, Cell]) -> None:
        index = (t_us - self._began) // self._width
        if index != self._open.index:
            if self._open.index != _BEFORE:
                self._open.stamp = self._stamp()
                self._columns.append(self._open)
            self._open = _Column(index, {})
            room = max(_FEWEST_COLUMNS, min(_MOST_COLUMNS, _WHOLE_CELLS // max(1, len(cells))))
            if len(self._columns) >= room:
                self._widen(room * 3 // 4)
        self._merge_into(self._open.cells, cells)

    def _widen(self, room: int) -> None:
        """Double the width until there are no more than so many columns."""
        while len(self._columns) > room:
            self._width *= 2
            columns: list[_Column[Cell]] = []
            for column in self._columns:
                column.index //= 2
                column.row = None
                if columns and columns[-1].index == column.index:
                    self._merge_into(columns[-1].cells, column.cells)
                    columns[-1].stamp = column.stamp
                else:
                    columns.append(column)
            self._columns = columns
            self._open.index //= 2
        if self._columns and self._columns[-1].index == self._open.index:
            self._open.cells = self._columns.pop().cells
        self.dropped = self._stamp()


def grouped(rows: Sequence[_Row]) -> str:
    """Write rows as JSON, with the keys once for neighbouring rows that have the same."""
    groups = [
        f"[[{','.join(map(str, keys))}],[{','.join([row.text for row in same])}]]"
        for keys, same in groupby(rows, attrgetter("keys"))
    ]
    return f"[{','.join(groups)}]"


def _newer(items: Reversible[_Stamped], after: int) -> list[_Stamped]:
    """Return those with a later stamp, oldest first."""
    newest_first = takewhile(lambda item: item.stamp > after, reversed(items))
    return list(newest_first)[::-1]
