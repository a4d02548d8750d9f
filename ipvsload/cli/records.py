"""`ipvsload report` and `ipvsload compare`: recorded runs, again."""

from pathlib import Path

import click


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
def report(directory: Path) -> int:
    """Render the recorded run in DIRECTORY again, also an interrupted one."""
    from ipvsload.report.table import print_results
    from ipvsload.report.write import write_reports

    results = write_reports(directory)
    print_results(results)
    click.echo(f"report: {directory / 'report.html'}")
    return results.exit_status


@click.command()
@click.argument("directories", nargs=-1, required=True, type=click.Path(path_type=Path))
def compare(directories: tuple[Path, ...]) -> None:
    """Set the recorded runs of several directories side by side."""
    from ipvsload.report.compare import print_comparison

    print_comparison(directories)
