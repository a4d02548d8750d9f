"""`ipvsload compare`: recordings side by side on the terminal."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ipvsload.errors import UsageError
from ipvsload.report import figure_rows as rows
from ipvsload.report.terminal_table import Page, group_size
from ipvsload.report.wording import kernels, verdict_line
from ipvsload.report.write import load_results
from ipvsload.results.comparison import ComparedRecording, compare


def print_comparison(directories: Sequence[Path], console: Console | None = None) -> None:
    """Print a table over all recordings, by default on standard output.

    Raises UsageError where fewer than two are given or one is no run directory.
    """
    if len(directories) < 2:
        raise UsageError("compare takes two run directories or more")
    recordings = []
    for name, directory in zip(_names(directories), directories, strict=True):
        recording, results = load_results(directory)
        recordings.append(ComparedRecording(name, results, recording.scenario_text))
    comparison = compare(recordings)
    console = console or Console()
    page = Page(console)
    for one in recordings:
        page.line(
            page.text(one.name, "bold"),
            page.text(f"  {one.results.scenario} · {kernels(one.results)} · "),
            page.text(f"{one.results.verdict}: {verdict_line(one.results)}", "dim"),
        )
    columns = comparison.columns
    size = group_size([column.summary for column in columns], console.width)
    known = rows.addresses([run for one in recordings for run in one.results.runs])
    for start in range(0, len(columns), size):
        group = columns[start : start + size]
        headers = [f"{rows.header(column.summary)}\n{column.name}" for column in group]
        page.figures(headers, [column.summary for column in group], known)
    if comparison.differences:
        console.print()
    for line in comparison.differences:
        page.line(page.text(f"note: {line}", "yellow"))


def _names(directories: Sequence[Path]) -> list[str]:
    """The directories' last parts, or the whole paths where those are not distinct."""
    texts = [os.path.normpath(directory) for directory in directories]
    names = [Path(text).name for text in texts]
    return names if len(set(names)) == len(names) else texts
