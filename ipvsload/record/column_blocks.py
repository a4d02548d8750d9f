"""Rows as blocks of columns: a recording's form of what it has millions of.

A block is one line of JSON and behind it its columns' bytes, each number in as few as the
block's largest needs. docs/record-format.md describes it byte by byte. They are written by
columns, too, because whoever writes them makes the load meanwhile.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, repeat
from operator import itemgetter
from struct import Struct
from types import NoneType
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, get_args, get_type_hints
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.format import VERSION, FormatError

NOT_KNOWN = -1
"""Stands for None among numbers."""
MOST_ROWS = 1 << 16
"""Of one block."""
_AT_ONCE = 512
"""Rows whose columns are made at once: more of them are not in the processor's cache."""
_WIDTHS = (1, 2, 4, 8)

_Row = TypeVar("_Row", bound=tuple[Any, ...])
Column: TypeAlias = NDArray[Any]


class ColumnLayout(Generic[_Row]):
    """How rows of this NamedTuple stand in a file of this kind.

    The first field is `run`, which is the block's; the others are columns of text (`str`, or
    None), numbers (`int`, not below zero where it may be None) or `bool`.
    `names` are the file's names of fields that have another here.
    """

    def __init__(self, kind: str, row: type[_Row], names: dict[str, str] | None = None) -> None:
        hints = get_type_hints(row)
        _, *fields = hints
        self.kind = kind
        self.row = row
        self.columns = tuple((names or {}).get(field, field) for field in fields)
        kinds = [set(get_args(hints[field]) or (hints[field],)) for field in fields]
        self.texts = tuple(str in one for one in kinds)
        self.optional = tuple(one == {int, NoneType} for one in kinds)
        self.flags = tuple(one == {bool} for one in kinds)
        self._without_none = tuple(one == {str} for one in kinds)

    def header(self) -> bytes:
        """A file's first line, with its newline."""
        line = {
            "ipvsload": self.kind,
            "version": VERSION,
            "columns": self.columns,
            "text_columns": self._named(self.texts),
            "null_is_minus_1": self._named(self.optional),
        }
        return json.dumps(line, separators=(",", ":")).encode() + b"\n"

    def _named(self, chosen: Sequence[bool]) -> list[str]:
        return [name for name, one in zip(self.columns, chosen, strict=True) if one]

    def rows(
        self, run: int, columns: Sequence[Column], texts: Sequence[str | None]
    ) -> Iterator[_Row]:
        """Each row of a block again, as it was before it was written."""
        count = len(columns[0])
        values: list[Iterable[Any]] = []
        for place, column in enumerate(columns):
            alike = count > 1 and bool((column == column[0]).all())
            found = (column[:1] if alike else column).tolist()
            if self.texts[place]:
                none = "" if self._without_none[place] else None
                found = [none if one == 0 else texts[one] for one in found]
            elif self.optional[place]:
                found = [None if one == NOT_KNOWN else one for one in found]
            values.append(repeat(found[0], count) if alike else found)
        # What Row._make does, for as many rows, without a call of Python's for each.
        make = partial(tuple.__new__, self.row)
        return map(make, zip(repeat(run, count), *values, strict=True))


class _Places(dict[str | None, int]):
    """The place of each text; a new one gets the next."""

    def __missing__(self, text: str | None) -> int:
        place = self[text] = len(self)
        return place


class BlockEncoder(Generic[_Row]):
    """Makes blocks of the rows that it is given. One is for the whole of one file."""

    def __init__(self, layout: ColumnLayout[_Row]) -> None:
        self._layout = layout
        self._places = _Places({None: 0})
        self._told = 1
        """How many texts the file has already, with None."""
        self._rows: list[_Row] = []
        self._run = self._kept = 0
        self._columns = [np.empty(MOST_ROWS, np.int64) for _ in layout.columns]
        """The numbers of each column that are not in a block yet: the first `_kept`. The same
        memory for every block: new pages from the system cost more than what is done here."""
        self._blocks: list[bytes] = []

    def add(self, rows: Iterable[_Row]) -> None:
        """Take these rows. Their numbers fit in 64 bits."""
        self._rows += rows
        if len(self._rows) >= _AT_ONCE:
            self._to_columns()

    def take(self) -> bytes:
        """All rows since the last time, as whole blocks; b"" where there are none."""
        self._to_columns()
        self._end_block()
        blocks = b"".join(self._blocks)
        self._blocks.clear()
        return blocks

    def _to_columns(self) -> None:
        rows, self._rows = self._rows, []
        for begin in range(0, len(rows), _AT_ONCE):
            some = rows[begin : begin + _AT_ONCE]
            runs, *columns = zip(*some, strict=True)
            if runs.count(runs[0]) == len(some):
                self._append(runs[0], columns)
                continue
            for run, its in groupby(some, itemgetter(0)):
                self._append(run, list(zip(*its, strict=True))[1:])

    def _append(self, run: int, columns: Sequence[tuple[Any, ...]]) -> None:
        if run != self._run or self._kept + _AT_ONCE > MOST_ROWS:
            self._end_block()
            self._run = run
        count, kept = len(columns[0]), self._kept
        numbers = Struct(f"{count}q")
        place, layout = self._places.__getitem__, self._layout
        for column, values, is_text, optional in zip(
            self._columns, columns, layout.texts, layout.optional, strict=True
        ):
            first = values[0]
            # Most columns are the same in most rows; in others the last is mostly another one.
            if values[-1] == first and values.count(first) == count:
                if is_text:
                    first = place(first)
                elif first is None:
                    first = NOT_KNOWN
                column[kept : kept + count] = first
            elif is_text:
                numbers.pack_into(column.data, 8 * kept, *map(place, values))
            elif optional:
                known = [NOT_KNOWN if one is None else one for one in values]
                numbers.pack_into(column.data, 8 * kept, *known)
            else:
                numbers.pack_into(column.data, 8 * kept, *values)
        self._kept += count

    def _end_block(self) -> None:
        if not self._kept:
            return
        packed = [_packed(column[: self._kept]) for column in self._columns]
        texts = list(self._places)[self._told :] if self._told < len(self._places) else []
        self._told = len(self._places)
        columns = ",".join(f"[{width},{least}]" for width, least, _ in packed)
        line = (
            f'{{"run":{self._run},"rows":{self._kept},"texts":{json.dumps(texts)},"columns":[{columns}]'
        ).encode()
        self._kept = 0
        data = b"".join(data for _, _, data in packed)
        self._blocks.append(b'%b,"crc32":%d}\n%b' % (line, crc32(data, crc32(line)), data))


def _packed(values: NDArray[np.int64]) -> tuple[int, int, bytes]:
    """How many bytes each value has, what is to be added to each, and the bytes."""
    least, most = int(values.min()), int(values.max())
    if least == most:
        return 0, least, b""
    width = next(one for one in _WIDTHS if most - least < 1 << 8 * one)
    return width, least, (values - least).astype(f"<u{width}").tobytes()


class BlockLine(NamedTuple):
    """What a block's line says: so many rows of a run, and of each column (width, least)."""

    run: int
    rows: int
    texts: list[str]
    columns: list[tuple[int, int]]
    crc32: int
    before_crc32: bytes

    @property
    def size(self) -> int:
        """How many bytes stand behind the line."""
        return self.rows * sum(width for width, _ in self.columns)


def block_line(layout: ColumnLayout[Any], line: bytes) -> BlockLine:
    """A block's line as `BlockEncoder` writes it; raises FormatError if it is not one."""
    try:
        told = json.loads(line)
        run, rows, texts, columns, check = (
            told[key] for key in ("run", "rows", "texts", "columns", "crc32")
        )
        right = (
            type(run) is type(rows) is type(check) is int
            and 0 < rows <= MOST_ROWS
            and type(texts) is type(columns) is list
            and all(type(text) is str for text in texts)
            and len(columns) == len(layout.columns)
            and all(
                type(width) is type(least) is int
                and (width == 0 or width in _WIDTHS)
                and -(2**63) <= least < 2**63
                for width, least in columns
            )
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        right = False
    if not right:
        raise FormatError("not the line of a block")
    before = line[: line.rindex(b',"crc32":')] if b',"crc32":' in line else b""
    return BlockLine(run, rows, texts, [(w, least) for w, least in columns], check, before)


def check_block(layout: ColumnLayout[Any], line: BlockLine, data: bytes, texts: int) -> None:
    """Raise FormatError if the bytes are not those that were written.

    Or if a column of texts names one beyond the first `texts` of the file.
    """
    if crc32(data, crc32(line.before_crc32)) != line.crc32:
        raise FormatError("its checksum does not fit")
    for place, is_text in enumerate(layout.texts):
        if is_text:
            column = np.empty(line.rows, np.int64)
            fill_column(column, line, data, place)
            if column.min() < 0 or column.max() >= texts:
                raise FormatError("a text is not there")


def fill_column(to: NDArray[np.int64], line: BlockLine, data: bytes, place: int) -> None:
    """Write one column of a block to an array of as many rows."""
    width, least = line.columns[place]
    if not width:
        to[:] = least
        return
    begin = line.rows * sum(before for before, _ in line.columns[:place])
    found = np.frombuffer(data, f"<u{width}", line.rows, begin)
    np.add(found, np.int64(least), out=to, dtype=np.int64, casting="unsafe")
