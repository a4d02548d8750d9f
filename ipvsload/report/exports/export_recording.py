"""What `ipvsload export` does: a recording into files of one format.

Requests and samples go from file to file, however many there are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ipvsload.record.reader import Recording, read
from ipvsload.report.exports.export_folder import ExportFolder
from ipvsload.report.exports.record_tables import RecordTables
from ipvsload.report.exports.results_tables import NoResultsError, results_tables, valid_runs

ExportFormat: TypeAlias = Literal["hgrm", "csv", "parquet"]


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file that was written, and how many requests or rows are in it."""

    name: str
    count: int
    unit: Literal["row", "request"]


def export_recording(
    directory: Path, kind: ExportFormat, out: Path, note: Callable[[str], None]
) -> Iterator[ExportedFile]:
    """Write a recording's files, one after the other as they are asked for.

    `note` hears what is missing. Raises UsageError where there is no recording, `out` cannot be
    written or holds what no export made, or the format needs what is not installed.
    """
    recording = read(directory, events_only=True)
    for line in recording.ends:
        note(line)
    folder = ExportFolder(out)
    if kind == "hgrm":
        yield from _histograms(recording, folder, note)
    else:
        yield from _tables(recording, folder, kind, note)


def _tables(
    recording: Recording,
    folder: ExportFolder,
    kind: Literal["csv", "parquet"],
    note: Callable[[str], None],
) -> Iterator[ExportedFile]:
    from ipvsload.report.exports.csv_format import write_csv
    from ipvsload.report.exports.parquet_format import write_parquet

    write = write_csv if kind == "csv" else write_parquet
    recorded = RecordTables(recording)
    tables = list(recorded.all())
    try:
        tables += results_tables(recording.directory)
    except NoResultsError as why:
        note(
            f"without runs, servers, measures and comparison: {why}"
            f" (ipvsload report {recording.directory} makes it)"
        )
    for table in tables:
        name = f"{table.name}.{kind}"
        with folder.file(name) as path:
            rows = write(table, path)
        yield ExportedFile(name, rows, "row")
    for line in recorded.notes:
        note(line)


def _histograms(
    recording: Recording, folder: ExportFolder, note: Callable[[str], None]
) -> Iterator[ExportedFile]:
    from ipvsload.report.exports.hgrm_files import HgrmFiles

    try:
        counted = valid_runs(recording.directory)
    except NoResultsError as why:
        counted = {run.number for run in recording.runs}
        note(
            f"a column's file has all its runs, valid or not: {why}"
            f" (ipvsload report {recording.directory} makes it)"
        )
    files = HgrmFiles(recording, counted)
    for line in files.notes:
        note(line)
    for name, requests in files.write(folder):
        yield ExportedFile(name, requests, "request")
