"""A file of blocks of columns, read in whatever state its writer left it.

What is whole is found, and what is wrong is noted for people. Of a file in memory
are only the places of its blocks; columns are read when they are asked for.
"""

import json
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Generic, Self, TypeVar

import numpy as np

from ipvsload.errors import UsageError
from ipvsload.record.column_blocks import (
    BlockLine,
    Column,
    ColumnLayout,
    block_line,
    check_block,
    fill_column,
)
from ipvsload.record.format import VERSION, FormatError

_ROWS = 1 << 15
"""So many rows, and those of one block more, are given at once."""

_Row = TypeVar("_Row", bound=tuple[Any, ...])


class ColumnFile(Generic[_Row]):
    """The blocks of one file that are whole, as far as it was read: by `read`, or `new`.

    The file may also be in memory: bytes instead of a path. `texts` are what the numbers in
    columns of text stand for; the first is None. What is missing or damaged goes to `notes`.
    Reading raises UsageError if the file cannot be read, is another one, or is of another
    version of the format.
    """

    def __init__(self, content: Path | bytes, layout: ColumnLayout[_Row]) -> None:
        self._content = content
        self._name = content.name if isinstance(content, Path) else layout.kind
        self._path = str(content) if isinstance(content, Path) else layout.kind
        self.layout = layout
        self.texts: list[str | None] = [None]
        self._places: dict[int, array[int]] = {}
        """Of each run where its blocks begin, and how many rows each has, in turn."""
        self._end = 0
        self._blocks = 0

    @classmethod
    def read(cls, content: Path | bytes, layout: ColumnLayout[_Row], notes: list[str]) -> Self:
        """The file with all its blocks."""
        file = cls(content, layout)
        for _ in file._read(notes):
            pass
        return file

    @property
    def runs(self) -> tuple[int, ...]:
        """The runs that have rows."""
        return tuple(sorted(self._places))

    def rows(self, run: int) -> int:
        """How many rows of this run there are."""
        return sum(self._places.get(run, array("q"))[1::2])

    def blocks(self, run: int, columns: Sequence[str] | None = None) -> Iterator[list[Column]]:
        """The columns of a run, some ten thousand rows at a time, or of them only these.

        Numbers are int64, texts places in `texts`, and NOT_KNOWN stands for None. Raises
        UsageError where the file is no longer what it was.
        """
        names = self.layout.columns
        which = [names.index(name) for name in (names if columns is None else columns)]
        places = self._places.get(run, array("q"))
        begin, rows = 0, 0
        with self._open() as file:
            for end in range(0, len(places), 2):
                rows += places[end + 1]
                if rows >= _ROWS or end + 2 == len(places):
                    yield self._columns(file, places[begin : end + 2 : 2], rows, which)
                    begin, rows = end + 2, 0

    def new(self, notes: list[str]) -> Iterator[tuple[int, list[Column]]]:
        """The blocks that have come since, each with its run's number, as they are read."""
        for line, data in self._read(notes):
            yield line.run, self._decoded([(line, data)], line.rows, range(len(line.columns)))

    def _columns(
        self, file: BinaryIO, places: Sequence[int], rows: int, which: Sequence[int]
    ) -> list[Column]:
        found = []
        for place in places:
            file.seek(place)
            try:
                line = block_line(self.layout, file.readline())
            except FormatError:
                break
            found.append((line, file.read(line.size)))
        if sum(line.rows for line, data in found if len(data) == line.size) != rows:
            raise UsageError(f"{self._path}: has changed since it was read")
        return self._decoded(found, rows, which)

    def _decoded(
        self, blocks: Sequence[tuple[BlockLine, bytes]], rows: int, which: Sequence[int]
    ) -> list[Column]:
        columns: list[Column] = []
        for place in which:
            column = np.empty(rows, np.int64)
            begin = 0
            for line, data in blocks:
                fill_column(column[begin : begin + line.rows], line, data, place)
                begin += line.rows
            columns.append(column.astype(bool) if self.layout.flags[place] else column)
        return columns

    def _read(self, notes: list[str]) -> Iterator[tuple[BlockLine, bytes]]:
        """The whole blocks from where it was read to, up to a torn or a damaged one."""
        with self._open() as file:
            if not self._end and not self._begin(file, notes):
                return
            file.seek(self._end)
            try:
                while first := file.readline():
                    if not first.endswith(b"\n"):
                        raise EOFError
                    line = block_line(self.layout, first)
                    data = file.read(line.size)
                    if len(data) < line.size:
                        raise EOFError
                    check_block(self.layout, line, data, len(self.texts) + len(line.texts))
                    self.texts += line.texts
                    places = self._places.setdefault(line.run, array("q"))
                    places.extend((self._end, line.rows))
                    self._end = file.tell()
                    self._blocks += 1
                    yield line, data
            except EOFError:
                notes.append(f"{self._name} stops in the middle of a block")
            except FormatError as error:
                notes.append(
                    f"{self._name} is damaged in block {self._blocks + 1} ({error})"
                    " and not read any further"
                )

    def _begin(self, file: BinaryIO, notes: list[str]) -> bool:
        first = file.readline()
        if not first.endswith(b"\n"):
            notes.append(f"{self._name} {'has no whole line' if first else 'is empty'}")
            return False
        _check_header(self._path, first, self.layout)
        self._end = file.tell()
        return True

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        if isinstance(self._content, bytes):
            yield BytesIO(self._content)
            return
        try:
            with self._content.open("rb") as file:
                yield file
        except OSError as error:
            raise UsageError(f"{self._path}: cannot be read: {error.strerror}") from None


def _check_header(path: str, line: bytes, layout: ColumnLayout[Any]) -> None:
    try:
        told = json.loads(line)
        kind, version, columns = told["ipvsload"], told["version"], told.get("columns")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UsageError(f"{path}: its first line is no header of ours") from None
    if kind != layout.kind:
        raise UsageError(f"{path}: its header says {json.dumps(kind)}, not {layout.kind}")
    if version != VERSION:
        raise UsageError(
            f"{path}: written in version {version} of the format;"
            f" this ipvsload reads version {VERSION}"
        )
    if columns != list(layout.columns):
        raise UsageError(f"{path}: has other columns than this ipvsload knows")
