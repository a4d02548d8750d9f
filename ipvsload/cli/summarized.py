"""`ipvsload simulate --summary`: what it prints and writes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipvsload.cli.repeats import Repeats
from ipvsload.cli.terminal import passing_line, say
from ipvsload.errors import UsageError

if TYPE_CHECKING:
    from ipvsload.scenario.model import Scenario
    from ipvsload.scenario.variant import Variant


def summarize_simulation(
    plan: "Scenario",
    text: str,
    wanted: Sequence["Variant"],
    repeats: Repeats,
    directory: Path,
    notes: tuple[str, ...],
    *,
    details: bool,
) -> int:
    """Simulate and report. Returns the exit status.

    `notes` are told with each run. Raises UsageError where the directory cannot be written,
    TestbedError where a report cannot.
    """
    from ipvsload.record.empty_directory import make_empty
    from ipvsload.record.format import SCENARIO
    from ipvsload.report.terminal_table import print_results
    from ipvsload.report.write import write_figures
    from ipvsload.simulate.play_summary import play_summary

    make_empty(directory)
    try:
        (directory / SCENARIO).write_text(text)
    except OSError as error:
        raise UsageError(f"{directory}: cannot write: {error.strerror}") from None
    with passing_line() as say_now:

        def progress(label: str, connections: int, seconds: float) -> None:
            say_now(f"{label}: {connections:,} connections, {seconds:,.1f} s")

        results = play_summary(plan, wanted, repeats.most, progress, notes, repeats.precision, say)
    write_figures(directory, results)
    print_results(results, details=details)
    click.echo(f"results: {directory / 'results.json'}")
    return results.exit_status
