"""`ipvsload export`: a recorded run's requests, samples and figures for other tools."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipvsload.cli.terminal import passing_line, say, silence_stdout

if TYPE_CHECKING:
    from ipvsload.report.exports.export_recording import ExportFormat


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kind",
    required=True,
    type=click.Choice(["hgrm", "csv", "parquet"]),
    help="hgrm: latencies for HdrHistogram's plotters; csv, parquet: tables of everything.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Where the files go: a new or empty directory, or an earlier export's."
    " Default: DIRECTORY/export.",
)
def export(directory: Path, kind: "ExportFormat", out: Path | None) -> int:
    """Write the recorded run in DIRECTORY as files for other tools."""
    from ipvsload.report.exports.export_recording import export_recording
    from ipvsload.scenario.words import counted

    folder = out or directory / "export"
    notes: list[str] = []
    with passing_line() as say_now:
        say_now(f"exporting {directory} ...")
        for file in export_recording(directory, kind, folder, notes.append):
            say_now("")
            try:
                click.echo(f"{folder / file.name}: {counted(file.count, file.unit)}")
            except BrokenPipeError:
                silence_stdout()  # nobody reads it any more; the files are written all the same
            say_now(f"exporting {directory} ...")
    for note in notes:
        say(f"note: {note}")
    return 0
