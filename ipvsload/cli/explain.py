"""`ipvsload explain`: why each connection of a recorded run went where it went."""

from pathlib import Path

import click

from ipvsload.cli.terminal import until_nobody_reads


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--run", type=click.IntRange(min=1), metavar="N", help="Of this run, and not of the first."
)
@click.option(
    "--connection", type=click.IntRange(min=1), metavar="K", help="Explain this one in sentences."
)
@click.option(
    "--mismatches", is_flag=True, help="Only choices that are not the model's, of all runs."
)
@click.option("--all", "everything", is_flag=True, help="All connections, however many there are.")
def explain(
    directory: Path, run: int | None, connection: int | None, mismatches: bool, everything: bool
) -> int:
    """Show why each connection in DIRECTORY went to its server.

    The state and score of each server at that moment, what the kernel chose, and what the
    model of its scheduler says.
    """
    from ipvsload.report import explain as explained

    if connection is not None and mismatches:
        raise click.UsageError("--connection explains one, --mismatches shows those of a kind")
    with until_nobody_reads():
        explained.explain(directory, explained.Wanted(run, connection, mismatches, everything))
    return 0
