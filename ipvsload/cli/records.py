"""`ipvsload report` and `ipvsload compare`: show what was recorded."""

import sys
from pathlib import Path

import click

from ipvsload.cli.terminal import silence_stdout
from ipvsload.errors import IpvsloadError


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
def report(directory: Path) -> int:
    """Render the recorded run in DIRECTORY again, also an interrupted one."""
    return conclude(directory)


@click.command()
@click.argument("directories", nargs=-1, required=True, type=click.Path(path_type=Path))
def compare(directories: tuple[Path, ...]) -> None:
    """Set the recorded runs of several directories side by side."""
    from ipvsload.report.terminal_comparison import print_comparison

    print_comparison(directories)


def conclude(directory: Path, failure: IpvsloadError | None = None) -> int:
    """Show a recording's results and write its reports. Returns the exit status.

    `failure` is what cut the run short: it is said last, and decides the status.
    """
    from ipvsload.report.terminal_table import print_results
    from ipvsload.report.write import load_results, write_reports

    recording, results = load_results(directory)
    page = None
    try:
        page = write_reports(recording, results)
    except IpvsloadError as error:
        failure = failure or error
    try:
        print_results(results)
        if page:
            click.echo(f"report: {page}")
        sys.stdout.flush()
    except (OSError, SystemExit):
        silence_stdout()  # nobody reads it any more; the reports and the status remain
    if failure:
        click.echo(f"{failure.prefix}{failure}", err=True)
        return failure.exit_status
    return results.exit_status
