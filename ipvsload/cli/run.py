"""`ipvsload run`: a scenario for each scheduler, recorded and judged."""

from pathlib import Path

import click

from ipvsload.cli.records import conclude
from ipvsload.cli.terminal import tell
from ipvsload.errors import IpvsloadError
from ipvsload.scenario.names import SCHEDULERS


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--scheduler",
    "schedulers",
    multiple=True,
    type=click.Choice(SCHEDULERS),
    help="Run only this one; may be given again. Default: those of the scenario.",
)
@click.option("--testbed", default="lab", show_default=True, type=click.Choice(["lab"]))
@click.option(
    "--kernel",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "host", "uml", "qemu"]),
    help="The lab's director: this machine's kernel, user-mode Linux, or a virtual machine.",
)
@click.option("--repeats", default=1, show_default=True, type=click.IntRange(1, 1000))
@click.option(
    "--hz",
    default=10.0,
    show_default=True,
    type=click.FloatRange(1, 50),
    help="Samples of the kernel's table a second.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Directory of the record, new or empty. Default: runs/NAME-TIME.",
)
def run(
    scenario: Path,
    schedulers: tuple[str, ...],
    testbed: str,
    kernel: str,
    repeats: int,
    hz: float,
    out: Path | None,
) -> int:
    """Run SCENARIO for each scheduler and compare them."""
    from ipvsload.record.writer import RunWriter
    from ipvsload.run.clock import Clock
    from ipvsload.run.directory import new_directory
    from ipvsload.run.need import need
    from ipvsload.scenario.load import parse_scenario, read
    from ipvsload.testbed.lab.testbed import LabTestbed

    text = read(scenario)
    plan = parse_scenario(text, str(scenario))
    directory = out or new_directory(plan.name)
    clock = Clock()
    writer = RunWriter(
        directory,
        scenario_text=text,
        scenario=plan.name,
        testbed=testbed,
        origin_unix_us=clock.origin_unix_us,
    )
    wanted = schedulers or plan.schedulers
    place = LabTestbed(
        kernel=kernel, servers=need(plan), clients=plan.service.clients, schedulers=wanted
    )
    failure: IpvsloadError | None = None
    try:
        tell(f"bringing the lab up for {need(plan)} real servers ...")
        place.start()
        # Heavy imports, while the kernel boots.
        from ipvsload.report.progress import TerminalProgress
        from ipvsload.run.headless import play_headless

        progress = TerminalProgress(plan)
        play_headless(plan, place, writer, clock, hz, wanted, repeats, progress)
    except IpvsloadError as error:
        failure = error
    finally:
        place.close()
        writer.close()
    return conclude(directory, failure)
