"""One NDJSON file of a run directory, read piece by piece in whatever state its writer left it.

What is whole is given, and what is wrong is noted for people. A file of millions of lines is
never in memory as a whole here: whoever wants all of it keeps it.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias, TypeVar

from ipvsload.errors import UsageError
from ipvsload.record import codec
from ipvsload.record.format import VERSION, FormatError

_PIECE = 1 << 18
"""How many bytes are decoded at once."""

_Record = TypeVar("_Record")
_Decode: TypeAlias = Callable[[list[bytes]], list[_Record]]


def header_of(path: Path, notes: list[str]) -> codec.Header | None:
    """The header of one file; None where it is missing or has no whole line, which is noted.

    Raises UsageError if it cannot be read, is another file, or is of another version of the format.
    """
    try:
        with path.open("rb") as file:
            first = file.readline()
    except FileNotFoundError:
        notes.append(f"{path.name} is missing")
        return None
    except OSError as error:
        raise _unreadable(path, error) from None
    if not first.endswith(b"\n"):
        notes.append(f"{path.name} {'has no whole line' if first else 'is empty'}")
        return None
    return _header(path, first)


def records_of(path: Path, decode: _Decode[_Record], notes: list[str]) -> Iterator[list[_Record]]:
    """The whole records of one file, some thousands at a time, up to a damaged line.

    What is missing goes to `notes`. Raises UsageError as `header_of` does.
    """
    if header_of(path, notes) is None:
        return
    try:
        with path.open("rb") as file:
            file.readline()
            yield from _pieces(file, decode, lambda fault: notes.append(f"{path.name} {fault}"))
    except OSError as error:
        raise _unreadable(path, error) from None


def _pieces(
    file: BinaryIO, decode: _Decode[_Record], note: Callable[[str], None]
) -> Iterator[list[_Record]]:
    number = 2
    while lines := file.readlines(_PIECE):
        if not lines[-1].endswith(b"\n"):
            lines.pop()
            note("stops in the middle of a line")
        try:
            yield decode(lines)
        except FormatError:
            # Again line by line, to keep what is right before the damaged line.
            for place, line in enumerate(lines, number):
                try:
                    yield decode([line])
                except FormatError as error:
                    note(f"is damaged in line {place} ({error}) and not read any further")
                    return
        number += len(lines)


def _header(path: Path, line: bytes) -> codec.Header:
    kind = path.name.removesuffix(".ndjson")
    try:
        header = codec.decode_header(line)
    except FormatError as error:
        raise UsageError(f"{path}: its first line is no header of ours: {error}") from None
    if header.kind != kind:
        raise UsageError(f"{path}: its header says {json.dumps(header.kind)}, not {kind}")
    if header.version != VERSION:
        raise UsageError(
            f"{path}: written in version {header.version} of the format; "
            f"this ipvsload reads version {VERSION}"
        )
    return header


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path}: cannot be read: {error.strerror}")
