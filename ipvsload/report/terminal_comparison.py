"""`ipvsload compare`: recordings side by side on the terminal."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ipvsload.errors import UsageError
from ipvsload.report.figure_rows import agreed_addresses, column_header
from ipvsload.report.terminal_console import ReportConsole, columns_side_by_side
from ipvsload.report.wording import kernels, verdict_line
from ipvsload.report.write import load_results
from ipvsload.results.comparison import ComparedRecording, compare


def print_comparison(directories: Sequence[Path], console: Console | None = None) -> None:
    """Print one table of all recordings, by default on standard output.

    Raises UsageError where there are fewer than two, or where one is not a run directory.
    """
    if len(directories) < 2:
        raise UsageError("compare takes two run directories or more")
    recordings = []
    for name, directory in zip(_names(directories), directories, strict=True):
        recording, results = load_results(directory)
        recordings.append(ComparedRecording(name, results, recording.scenario_text))
    comparison = compare(recordings)
    console = console or Console()
    output = ReportConsole(console)
    for one in recordings:
        output.line(
            output.text(one.name, "bold"),
            output.text(f"  {one.results.scenario} · {kernels(one.results)} · "),
            output.text(f"{one.results.verdict}: {verdict_line(one.results)}", "dim"),
        )
    columns = comparison.columns
    size = columns_side_by_side([column.summary for column in columns], console.width)
    known = agreed_addresses([run for one in recordings for run in one.results.runs])
    for start in range(0, len(columns), size):
        group = columns[start : start + size]
        headers = [f"{column_header(column.summary)}\n{column.name}" for column in group]
        output.figures(headers, [column.summary for column in group], known)
    if comparison.differences:
        console.print()
    for line in comparison.differences:
        output.line(output.text(f"note: {line}", "yellow"))


def _names(directories: Sequence[Path]) -> list[str]:
    """The directories' last parts, or the whole paths where two last parts are the same."""
    texts = [os.path.normpath(directory) for directory in directories]
    names = [Path(text).name for text in texts]
    return names if len(set(names)) == len(names) else texts
