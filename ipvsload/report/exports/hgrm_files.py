"""A recording's latencies as .hgrm files: one a column and class, and one a run of them."""

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.reader import Recording
from ipvsload.record.request_file import request_pieces
from ipvsload.report.exports.export_folder import ExportFolder
from ipvsload.report.exports.hgrm_format import percentile_lines

_NOT_IN_A_NAME = re.compile(r"[^\w.+-]+")


class HgrmFiles:
    """The answered requests of a recording, of which nothing but the events was read.

    In memory are eight bytes a request. A column's file has the runs in `counted` only, those
    that are valid, and of each run there is one. `notes` says what is missing in the record.
    """

    def __init__(self, recording: Recording, counted: Iterable[int]) -> None:
        self.notes: list[str] = []
        self._counted = set(counted)
        self._labels = {run.number: run.label for run in recording.runs}
        found: defaultdict[tuple[int, str], array[int]] = defaultdict(lambda: array("q"))
        for some in request_pieces(recording.directory, self.notes):
            columns = some.columns
            answered = (columns.error == 0) & (columns.status < 400)
            for place in np.unique(columns.traffic[answered]).tolist():
                latencies = columns.latency_us[answered & (columns.traffic == place)]
                found[some.run, some.texts[place] or ""].frombytes(latencies.tobytes())
        self._latencies = {key: np.frombuffer(found[key], np.int64) for key in sorted(found)}
        for latencies in self._latencies.values():
            latencies.sort()

    def write(self, folder: ExportFolder) -> Iterator[tuple[str, int]]:
        """Write each file; its name and how many requests are in it. Raises UsageError."""
        names: set[str] = set()
        columns: dict[tuple[str, str], list[NDArray[np.int64]]] = {}
        for (run, traffic), latencies in self._latencies.items():
            if run in self._counted:
                column = self._labels.get(run, "unknown")
                columns.setdefault((column, traffic), []).append(latencies)
        for (column, traffic), several in columns.items():
            name = _file_name(names, column, traffic)
            yield _write(folder, name, _together(several))
        for (run, traffic), latencies in self._latencies.items():
            name = _file_name(names, self._labels.get(run, "unknown"), traffic, f"run-{run}")
            yield _write(folder, f"runs/{name}", latencies)


def _write(folder: ExportFolder, name: str, latencies: NDArray[np.int64]) -> tuple[str, int]:
    with folder.file(name) as path, path.open("w", encoding="ascii") as file:
        file.writelines(percentile_lines(latencies))
    return name, len(latencies)


def _together(several: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """All of these, which are sorted, sorted."""
    return several[0] if len(several) == 1 else np.sort(np.concatenate(several), kind="stable")


def _file_name(taken: set[str], *parts: str) -> str:
    """A name that any file system takes, and that no other file here has."""
    stem = ".".join(_NOT_IN_A_NAME.sub("_", part)[:80].strip(".") or "_" for part in parts)
    name, number = f"{stem}.hgrm", 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}.hgrm"
    taken.add(name.lower())
    return name
