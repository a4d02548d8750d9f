"""`ipvsload report` and `ipvsload compare`: show what was recorded."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ipvsload.cli.terminal import passing_line, silence_stdout, until_nobody_reads
from ipvsload.errors import IpvsloadError, UsageError
from ipvsload.program_objects import quick_imports

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipvsload.record.reader import Recording
    from ipvsload.results.results import Results

    Loaded = tuple[Recording, Results]

_Command = TypeVar("_Command", bound=Any)


def details_option(command: _Command) -> _Command:
    """Add `details` to a command that shows results."""
    option: Callable[[_Command], _Command] = click.option(
        "--details",
        is_flag=True,
        help="Print all figures of each scheduler, notes and expectations.",
    )
    return option(command)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@details_option
def report(directory: Path, details: bool) -> int:
    """Render the recorded run in DIRECTORY again, also an interrupted one."""
    return conclude(directory, details=details)


@click.command()
@click.argument("directories", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--details", is_flag=True, help="All figures of all columns, too.")
@click.option(
    "--fail-on-regression",
    "fail",
    is_flag=True,
    help="End with 1 where a measure under test got worse than in the first one, by more than"
    " chance and by more than the scenario's margin.",
)
def compare(directories: tuple[Path, ...], details: bool, fail: bool) -> int:
    """Compare recorded runs: each directory against the first one.

    Columns of one name by the measures under test, with intervals and corrected p-values, and
    what else differs between the recordings.

    \b
    Exit status: 0 whatever differs; with --fail-on-regression 1 where something got
    worse, 2 where the recordings cannot tell, 4 where the new one is not valid.
    """
    from ipvsload.report.terminal_comparison import print_comparison
    from ipvsload.report.write import load_results

    if len(directories) < 2:
        raise UsageError("compare takes two run directories or more")
    loaded = []
    with passing_line() as say_now:
        for directory in directories:

            def begins(at: int, of: int, which: Path = directory) -> None:
                say_now(f"evaluating run {at} of {of} in {which} ...")

            recording, results = load_results(directory, begins)
            # Only what is compared stays in memory, however many recordings there are.
            loaded.append((replace(recording, runs=()), replace(results, choices={})))
    with until_nobody_reads():
        print_comparison(loaded, details=details)
    return max(_told_regressions(loaded[0], later) for later in loaded[1:]) if fail else 0


def _told_regressions(kept: "Loaded", later: "Loaded") -> int:
    """Print whether the later one got worse. Returns the exit status; raises UsageError."""
    from ipvsload.cli.regression import regressions_since
    from ipvsload.report.regression_words import regression_head, regression_warnings

    found = regressions_since(kept, later)
    with until_nobody_reads():
        click.echo(f"\n{later[0].directory}: {regression_head(found)}")
        for line in regression_warnings(found):
            click.echo(f"   note: {line}")
    if later[1].verdict == "invalid":
        return later[1].exit_status
    return 1 if found.worse else 0


def import_reports() -> None:
    """Import what `conclude` needs, while there is time for it."""
    with quick_imports():
        import ipvsload.replay.replayed_run
        import ipvsload.report.terminal_table
        import ipvsload.report.write  # noqa: F401


def conclude(
    directory: Path, failure: IpvsloadError | None = None, *, details: bool = False
) -> int:
    """Show a recording's results and write its reports. Returns the exit status.

    `failure` is what cut the run short: it is said last, and decides the status.
    """
    from ipvsload.report.terminal_table import print_results
    from ipvsload.report.write import load_results, write_reports

    page = None
    with passing_line() as say_now:
        recording, results = load_results(
            directory, lambda at, of: say_now(f"evaluating run {at} of {of} ...")
        )
        say_now("writing the reports ...")
        try:
            page = write_reports(recording, results)
        except IpvsloadError as error:
            failure = failure or error
    try:
        print_results(results, details=details)
        if page:
            click.echo(f"report: {page}")
        sys.stdout.flush()
    except (OSError, SystemExit):
        silence_stdout()  # nobody reads it any more; the reports and the status remain
    if failure:
        click.echo(f"{failure.prefix}{failure}", err=True)
        return failure.exit_status
    return results.exit_status
