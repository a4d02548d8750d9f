"""`ipvsload simulate --summary`: what it prints and writes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipvsload.cli.terminal import passing_line

if TYPE_CHECKING:
    from ipvsload.scenario.model import Scenario
    from ipvsload.scenario.variant import Variant


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
    with passing_line() as say_now:

        def progress(label: str, connections: int, seconds: float) -> None:
            say_now(f"{label}: {connections:,} connections, {seconds:,.1f} s")

        results = play_summary(plan, wanted, repeats, progress)
    write_figures(directory, results)
    print_results(results)
    click.echo(f"results: {directory / 'results.json'}")
    return results.exit_status
