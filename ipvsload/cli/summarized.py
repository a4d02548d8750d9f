"""`ipvsload simulate --summary`: what it prints and writes."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipvsload.cli.asked_experiment import AskedExperiment
from ipvsload.cli.terminal import passing_line, say
from ipvsload.errors import UsageError

if TYPE_CHECKING:
    from ipvsload.scenario.scaled import ScaledBy


def summarize_simulation(
    asked: AskedExperiment, directory: Path, scale: "ScaledBy", *, details: bool
) -> int:
    """Simulate and report. Returns the exit status.

    `scale` is told with each run. Raises UsageError where the directory cannot be written,
    TestbedError where a report cannot.
    """
    from ipvsload.record.empty_directory import make_empty
    from ipvsload.record.format import SCENARIO
    from ipvsload.report.terminal_table import print_results
    from ipvsload.report.write import write_figures
    from ipvsload.results.comparison import ComparedRecording
    from ipvsload.results.recording_differences import found_facts
    from ipvsload.results.regressions import held_against
    from ipvsload.simulate.play_summary import play_summary

    make_empty(directory)
    try:
        (directory / SCENARIO).write_text(asked.text)
    except OSError as error:
        raise UsageError(f"{directory}: cannot write: {error.strerror}") from None
    with passing_line() as say_now:

        def progress(label: str, connections: int, seconds: float) -> None:
            say_now(f"{label}: {connections:,} connections, {seconds:,.1f} s")

        results = play_summary(
            asked.plan,
            asked.wanted,
            asked.times.most,
            progress,
            scale.notes,
            asked.times.precision,
            say,
        )
    if asked.kept:
        facts = found_facts(ComparedRecording("", results, asked.text, asked.plan, scale.options))
        results = held_against(results, asked.kept, facts, asked.plan.margin)
    write_figures(directory, results)
    print_results(results, details=details)
    click.echo(f"results: {directory / 'results.json'}")
    return results.exit_status
