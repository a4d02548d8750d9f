"""`ipvsload compare`: recordings against the first one on the terminal, 80 columns wide.

First what is shown of each column in both, then what else differs: whoever reads a difference
must see what may have caused it.
"""

import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ipvsload.record.reader import Recording
from ipvsload.report.figure_rows import agreed_addresses, column_header
from ipvsload.report.measure_words import amount, difference_words, measure_words, p_words
from ipvsload.report.recording_pair_words import method_words, sentences, short_verdict, warnings
from ipvsload.report.terminal_console import ReportConsole
from ipvsload.report.wording import DASH, place, unseen, verdict_line
from ipvsload.results.comparison import ComparedRecording, columns
from ipvsload.results.recording_differences import (
    changed_lines,
    differences,
    same_scenario,
)
from ipvsload.results.recording_pair import ComparedColumns, RecordingPair
from ipvsload.results.recording_pairs import compared_columns
from ipvsload.results.results import Results

MOST_LINES = 40
"""Of a scenario's changed lines; diff shows all."""
_STYLES = {"+": "green", "-": "red", "@": "dim"}


def print_comparison(
    loaded: Sequence[tuple[Recording, Results]],
    console: Console | None = None,
    *,
    details: bool = False,
) -> None:
    """Print the comparison, by default on standard output; with `details` all figures, too."""
    names = _names([recording.directory for recording, _ in loaded])
    recordings = [
        ComparedRecording.of(name, recording, results)
        for name, (recording, results) in zip(names, loaded, strict=True)
    ]
    output = ReportConsole(console or Console())
    for one in recordings:
        output.line(
            output.text(one.name, "bold"),
            output.text("  " + " · ".join((one.results.scenario, *place(one.results))) + " · "),
            output.text(f"{one.results.verdict}: {verdict_line(one.results)}", "dim"),
        )
    if details:
        _figures(output, recordings)
    found = compared_columns(recordings)
    for name, pairs in groupby(found.pairs, key=lambda pair: pair.other):
        output.console.print()
        output.console.print(_pairs(output, recordings[0].name, name, list(pairs)))
    _said(output, recordings, found)
    _differences(output, recordings)


def _figures(output: ReportConsole, recordings: Sequence[ComparedRecording]) -> None:
    """Every figure of every column."""
    found = columns(recordings)
    output.figures(
        [f"{column_header(summary)}\n{name}" for name, summary in found],
        [summary for _, summary in found],
        agreed_addresses(run for one in recordings for run in one.results.runs),
    )
    for line in dict.fromkeys(line for one in recordings for line in unseen(one.results)):
        output.line(output.text(line, "dim"))


def _pairs(output: ReportConsole, first: str, other: str, pairs: Sequence[RecordingPair]) -> Table:
    """A row a column, by measure: medians, difference with its interval, p, and what is shown."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", overflow="fold", min_width=8)
    for name in (first, other):
        table.add_column(output.text(name), justify="right", overflow="fold", max_width=16)
    table.add_column(output.text("difference [95 %]"), justify="right", overflow="fold")
    table.add_column("p", justify="right", overflow="fold", min_width=6)
    table.add_column("", overflow="fold", min_width=10)
    for measure, rows in groupby(pairs, key=lambda pair: pair.comparison.measure):
        table.add_row(output.text(measure_words(measure), "bold"))
        for pair in rows:
            table.add_row(*map(output.text, _cells(pair)))
    return table


def _cells(pair: RecordingPair) -> tuple[str, ...]:
    of, unit = pair.comparison, pair.b.unit
    same = pair.label_a == pair.label_b
    return (
        f"  {pair.label_b if same else f'{pair.label_b} against {pair.label_a}'}",
        *(amount(median, unit) for median in of.median),
        difference_words(of.difference, of.difference_ci95, unit)
        if of.difference is not None
        else DASH,
        p_words(of.p_holm).removeprefix("p ") if of.p_holm is not None else DASH,
        short_verdict(pair),
    )


def _said(
    output: ReportConsole, recordings: Sequence[ComparedRecording], found: ComparedColumns
) -> None:
    first = recordings[0]
    output.console.print()
    for name in found.unlike:
        output.line(
            output.text(
                f"{name} has no column of {first.name}: each of its columns stands against"
                f" {first.results.baseline or 'none'}, the baseline there"
            )
        )
    if not found.pairs:
        output.line(output.text("nothing to compare: no column and measure is in both", "yellow"))
        return
    for line in sentences(found):
        output.line(output.text(line))
    output.line(output.text(method_words(found), "dim"))
    for line in warnings(found):
        output.line(output.text(f"warning: {line}", "dim"))


def _differences(output: ReportConsole, recordings: Sequence[ComparedRecording]) -> None:
    first, *others = recordings
    found = differences(recordings)
    if found:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("what else differs", overflow="fold", min_width=18)
        for one in recordings:
            table.add_column(output.text(one.name), overflow="fold", ratio=1)
        for difference in found:
            table.add_row(*map(output.text, (difference.what, *difference.values)))
        output.console.print()
        output.console.print(table)
    for other in others:
        lines = changed_lines(first, other)
        if lines:
            output.console.print()
        elif other.scenario_text != first.scenario_text and same_scenario(first, other):
            output.line(output.text(f"{other.name}: its scenario file differs in layout only"))
        for line in lines[:MOST_LINES]:
            output.line(output.text(line, _STYLES.get(line[:1], "")))
        if len(lines) > MOST_LINES:
            output.line(output.text(f"and {len(lines) - MOST_LINES} more lines: diff shows them"))
    _notes(output, recordings)


def _notes(output: ReportConsole, recordings: Sequence[ComparedRecording]) -> None:
    output.console.print()
    for one in recordings:
        if one.results.verdict == "invalid":
            output.line(
                output.text(f"note: {one.name} does not count: its verdict is invalid", "yellow")
            )
    if not all(one.results.simulated for one in recordings):
        output.line(
            output.text(
                "note: these are recordings of different times: what changed on the machine"
                " between them is part of each difference",
                "yellow",
            )
        )


def _names(directories: Sequence[Path]) -> list[str]:
    """The directories' last parts, or the whole paths where two last parts are the same."""
    texts = [os.path.normpath(directory) for directory in directories]
    names = [Path(text).name for text in texts]
    return names if len(set(names)) == len(names) else texts
