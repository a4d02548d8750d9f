"""Looks at the files that a scenario names: beside load.py the only part here that reads files.

All that can be wrong with them is found before anything starts. They are read line by
line; what is looked at once is not looked at again until it changes.
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO

from ipvsload.errors import UsageError
from ipvsload.scenario import duration
from ipvsload.scenario.file_reference import FileReference, NumbersFile, TraceFile
from ipvsload.scenario.trace import MAX_LINE, Trace, TraceError
from ipvsload.scenario.words import quoted
from ipvsload.scenario.work import MOST_SECONDS

MAX_ARRIVALS = 5_000_000
"""Of a trace; to look at so many takes some seconds."""
MAX_NUMBERS = 100_000
"""Of a file of work, which is kept whole."""


class ScenarioFiles:
    """The files beside a scenario; their names are relative to this directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def trace(self, reference: FileReference) -> TraceFile:
        """A file of arrivals. Raises UsageError with the line of what is wrong."""
        path, stamp = self._find(reference)
        found = _trace(reference.name, path, stamp)
        _same(reference, found.sha256)
        return found

    def numbers(self, reference: FileReference) -> NumbersFile:
        """A file of seconds. Raises UsageError with the line of what is wrong."""
        path, stamp = self._find(reference)
        found = _numbers(reference.name, path, stamp)
        _same(reference, found.sha256)
        return found

    def _find(self, reference: FileReference) -> tuple[Path, tuple[int, int]]:
        """Its path, and what changes when it does."""
        path = (self._directory / reference.name).absolute()
        try:
            if not path.is_file():
                reason = "not a file" if path.exists() else "no such file"
                raise UsageError(f"{reference.name}: {reason} ({path})")
            with path.open("rb"):
                found = path.stat()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else None
            raise UsageError(f"{reference.name}: cannot be read: {why or error}") from None
        return path, (found.st_mtime_ns, found.st_size)


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """Its lines; of one that is longer than `trace.MAX_LINE`, a piece that is longer, too."""
    return iter(lambda: file.readline(MAX_LINE + 1), b"")


@lru_cache(maxsize=64)
def _trace(name: str, path: Path, _stamp: tuple[int, int]) -> TraceFile:
    hashed, count, last = hashlib.sha256(), 0, 0.0
    with path.open("rb") as file:
        trace = Trace(name, _hashing(file, hashed))
        for row in trace:
            count, last = count + 1, row.seconds
            if count > MAX_ARRIVALS:
                reason = f"more than {MAX_ARRIVALS} arrivals; cut the file here"
                raise TraceError(name, count + 1, reason)
    if not count:
        raise UsageError(f"{name}: no arrival in it")
    return TraceFile(name, str(path), hashed.hexdigest(), count, last, trace.columns)


@lru_cache(maxsize=64)
def _numbers(name: str, path: Path, _stamp: tuple[int, int]) -> NumbersFile:
    hashed, values = hashlib.sha256(), []
    with path.open("rb") as file:
        for number, line in enumerate(_hashing(file, hashed), 1):
            text = line.decode("utf-8-sig", errors="replace").strip()
            try:
                seconds = duration.seconds(text if text[-1:].isalpha() else float(text))
            except ValueError:
                reason = f"expected a time such as 0.02 or 20ms, found {quoted(text[:80])}"
                raise TraceError(name, number, reason) from None
            if not 0 < seconds <= MOST_SECONDS:
                reason = f"must be more than 0 and at most {MOST_SECONDS:g} s, found {quoted(text)}"
                raise TraceError(name, number, reason)
            if number > MAX_NUMBERS:
                raise TraceError(name, number, f"more than {MAX_NUMBERS} lines")
            values.append(seconds)
    if not values:
        raise UsageError(f"{name}: the file is empty; it needs a time in each line")
    return NumbersFile(name, str(path), hashed.hexdigest(), tuple(sorted(values)))


def _hashing(file: IO[bytes], hashed: "hashlib._Hash") -> Iterator[bytes]:
    for line in lines_of(file):
        hashed.update(line)
        yield line


def _same(reference: FileReference, sha256: str) -> None:
    if reference.sha256 and reference.sha256 != sha256:
        raise UsageError(
            f"{reference.name}: not the file that is meant: its sha256 is {sha256},"
            f" and not {reference.sha256}"
        )
