"""The runs that were recorded since somebody looked last, while the recording goes on.

Each record is read once, so that an experiment of many runs is not read again after each of them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ipvsload.record import codec
from ipvsload.record.column_file import ColumnFile
from ipvsload.record.connection_table import CONNECTION_LAYOUT
from ipvsload.record.format import (
    CONNECTIONS,
    EVENTS,
    OCCUPANCY,
    REQUESTS,
    SAMPLES,
    FormatError,
)
from ipvsload.record.reader import RecordedRun, runs_of
from ipvsload.record.request_table import REQUEST_LAYOUT

_Record = TypeVar("_Record")


class NewRuns:
    """Of the recording in `directory`; ask between two runs, when all is written."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read: dict[str, int] = {}
        """How many bytes of each file of lines."""
        self._requests = ColumnFile(directory / REQUESTS, REQUEST_LAYOUT)
        self._connections = ColumnFile(directory / CONNECTIONS, CONNECTION_LAYOUT)

    def take(self) -> tuple[RecordedRun, ...]:
        """The runs that are new. Raises OSError, and FormatError for a damaged file."""
        faults: list[str] = []
        numbers = {run for run, _ in self._requests.new(faults)}
        if (self._directory / CONNECTIONS).exists():
            for _ in self._connections.new(faults):
                pass
        if faults:
            raise FormatError(faults[0])
        _, runs = runs_of(
            self._new(EVENTS, codec.decode_events),
            self._new(SAMPLES, codec.decode_samples),
            self._requests,
            numbers,
            self._connections,
            self._new(OCCUPANCY, codec.decode_occupancy),
        )
        return runs

    def _new(self, name: str, decode: Callable[[list[bytes]], list[_Record]]) -> list[_Record]:
        path = self._directory / name
        if not path.exists():  # no server has told how busy it is
            return []
        with path.open("rb") as file:
            if name not in self._read:
                file.readline()  # the header
            else:
                file.seek(self._read[name])
            lines = file.readlines()
            self._read[name] = file.tell()
        return decode(lines)
