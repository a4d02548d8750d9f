"""Arrivals out of a file, read as they come."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ipvsload.scenario.file_reference import TraceFile
from ipvsload.scenario.scenario_files import lines_of
from ipvsload.scenario.trace import Trace, TraceRow

_SECOND = 1_000_000_000


class TraceArrivals:
    """When they are due, in ns after the start, up to so many and for so many seconds.

    `row` is the arrival whose time was given last, also where only every nth is asked for.
    Raises TraceError where the file is not what it was when it was looked at, and OSError.
    """

    def __init__(self, file: TraceFile, requests: int | None, seconds: float) -> None:
        self.row = TraceRow(0)
        self._times = islice(self._read(file, seconds), requests)

    def __iter__(self) -> Iterator[int]:
        """The times, once."""
        return self._times

    def _read(self, file: TraceFile, most_seconds: float) -> Iterator[int]:
        with Path(file.path).open("rb") as opened:
            for row in Trace(file.name, lines_of(opened)):
                if row.seconds > most_seconds:
                    return
                self.row = row
                yield round(row.seconds * _SECOND)
