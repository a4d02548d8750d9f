"""`ipvsload simulate --summary`: what it prints and writes."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ipvsload.scenario.model import Scenario
    from ipvsload.scenario.variant import Variant

_ERASE = "\r\x1b[K"


def summarize_simulation(
    plan: "Scenario", text: str, wanted: Sequence["Variant"], repeats: int, directory: Path
) -> int:
    """Simulate and report. Returns the exit status.

    Raises UsageError where the scenario needs a record, TestbedError where nothing can be written.
    """
    from ipvsload.record.format import SCENARIO
    from ipvsload.record.writer import make_empty
    from ipvsload.report.terminal_table import print_results
    from ipvsload.report.write import write_figures
    from ipvsload.simulate.play_summary import play_summary

    make_empty(directory)
    (directory / SCENARIO).write_text(text)
    told = sys.stderr.isatty()

    def progress(label: str, connections: int, seconds: float) -> None:
        if told:
            words = f"{label}: {connections:,} connections, {seconds:,.1f} s"
            click.echo(f"{_ERASE}{words}", nl=False, err=True)

    results = play_summary(plan, wanted, repeats, progress)
    if told:
        click.echo(_ERASE, nl=False, err=True)
    write_figures(directory, results)
    print_results(results)
    click.echo(f"results: {directory / 'results.json'}")
    return results.exit_status
