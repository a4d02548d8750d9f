"""`ipvsload compare`: recordings side by side on the terminal."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ipvsload.record.reader import Recording
from ipvsload.report.figure_rows import agreed_addresses, column_header
from ipvsload.report.terminal_console import ReportConsole
from ipvsload.report.wording import place, unseen, verdict_line
from ipvsload.results.comparison import ComparedRecording, columns, differences
from ipvsload.results.results import Results


def print_comparison(
    loaded: Sequence[tuple[Recording, Results]], console: Console | None = None
) -> None:
    """Print one table of all recordings, by default on standard output."""
    names = _names([recording.directory for recording, _ in loaded])
    recordings = [
        ComparedRecording(name, results, recording.scenario_text)
        for name, (recording, results) in zip(names, loaded, strict=True)
    ]
    output = ReportConsole(console or Console())
    for one in recordings:
        output.line(
            output.text(one.name, "bold"),
            output.text("  " + " · ".join((one.results.scenario, *place(one.results))) + " · "),
            output.text(f"{one.results.verdict}: {verdict_line(one.results)}", "dim"),
        )
    found = columns(recordings)
    output.figures(
        [f"{column_header(summary)}\n{name}" for name, summary in found],
        [summary for _, summary in found],
        agreed_addresses(run for one in recordings for run in one.results.runs),
    )
    for line in dict.fromkeys(line for one in recordings for line in unseen(one.results)):
        output.line(output.text(line, "dim"))
    notes = differences(recordings)
    if notes:
        output.console.print()
    for line in notes:
        output.line(output.text(f"note: {line}", "yellow"))


def _names(directories: Sequence[Path]) -> list[str]:
    """The directories' last parts, or the whole paths where two last parts are the same."""
    texts = [os.path.normpath(directory) for directory in directories]
    names = [Path(text).name for text in texts]
    return names if len(set(names)) == len(names) else texts
