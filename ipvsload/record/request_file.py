"""A run directory's requests, whichever version wrote them: as columns, or as earlier as lines."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ipvsload.record import codec
from ipvsload.record.column_blocks import BlockEncoder
from ipvsload.record.column_file import ColumnFile
from ipvsload.record.format import REQUEST_LINES, REQUESTS, FormatError, Request
from ipvsload.record.record_files import records_of
from ipvsload.record.request_table import REQUEST_LAYOUT, RequestColumns

_LONG = re.compile(rb"\d{19}")
_BITS_64 = range(-(2**63), 2**63)


NO_REQUESTS = ColumnFile(REQUEST_LAYOUT.header(), REQUEST_LAYOUT)


class SomeRequests(NamedTuple):
    """Some thousand requests of one run, in the file's order."""

    run: int
    columns: RequestColumns
    texts: list[str | None]

    def rows(self) -> Iterator[Request]:
        """Each of them."""
        return REQUEST_LAYOUT.rows(self.run, self.columns, self.texts)


def request_file(directory: Path, notes: list[str]) -> ColumnFile[Request]:
    """All requests of a run directory. What is missing goes to `notes`.

    Lines are in memory as columns. Raises UsageError where the file is not of this kind.
    """
    if not _has_lines(directory):
        return ColumnFile.read(_content(directory, notes), REQUEST_LAYOUT, notes)
    encoder, blocks = BlockEncoder(REQUEST_LAYOUT), [REQUEST_LAYOUT.header()]
    for some in records_of(directory / REQUEST_LINES, _decode, notes):
        encoder.add(some)
        blocks.append(encoder.take())
    return ColumnFile.read(b"".join(blocks), REQUEST_LAYOUT, [])


def request_pieces(directory: Path, notes: list[str]) -> Iterator[SomeRequests]:
    """The same piece by piece, as they are read: nothing of them stays in memory."""
    if not _has_lines(directory):
        file = ColumnFile(_content(directory, notes), REQUEST_LAYOUT)
        yield from _pieces(file, notes)
        return
    for some in records_of(directory / REQUEST_LINES, _decode, notes):
        encoder = BlockEncoder(REQUEST_LAYOUT)
        encoder.add(some)
        yield from _pieces(ColumnFile(REQUEST_LAYOUT.header() + encoder.take(), REQUEST_LAYOUT), [])


def _pieces(file: ColumnFile[Request], notes: list[str]) -> Iterator[SomeRequests]:
    for run, columns in file.new(notes):
        yield SomeRequests(run, RequestColumns._make(columns), file.texts)


def _has_lines(directory: Path) -> bool:
    return not (directory / REQUESTS).exists() and (directory / REQUEST_LINES).exists()


def _content(directory: Path, notes: list[str]) -> Path | bytes:
    path = directory / REQUESTS
    if path.exists():
        return path
    notes.append(f"{REQUESTS} is missing")
    return REQUEST_LAYOUT.header()


def _decode(lines: list[bytes]) -> list[Request]:
    found = codec.decode_requests(lines)
    for line, request in zip(lines, found, strict=True):
        if _LONG.search(line) and any(type(n) is int and n not in _BITS_64 for n in request):
            raise FormatError("a number is too large")  # for a column; no request ever had one
    return found
