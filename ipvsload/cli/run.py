"""`ipvsload run`: a scenario for each scheduler, recorded and judged."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ipvsload.cli.name_completion import complete_scenario, complete_scheduler
from ipvsload.cli.records import conclude, details_option, import_reports
from ipvsload.cli.repeats import Repeats, wanted_repeats, with_repeats
from ipvsload.cli.self_check import (
    begin_self_check,
    blocks_of_each,
    column_to_check,
    self_check_option,
)
from ipvsload.cli.terminal import say, tell
from ipvsload.cli.testbeds import make_testbed, refuse_foreign_options, with_options
from ipvsload.cli.variants import wanted_variants
from ipvsload.errors import IpvsloadError
from ipvsload.program_objects import quick_imports
from ipvsload.testbed.registry import DEFAULT, TESTBEDS

if TYPE_CHECKING:
    from collections.abc import Callable


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path), shell_complete=complete_scenario)
@click.option(
    "--scheduler",
    "schedulers",
    multiple=True,
    metavar="LABEL",
    shell_complete=complete_scheduler,
    help="Run only this one: one of the scenario, by its label, or any other by its name;"
    " may be given again. Default: those of the scenario.",
)
@click.option(
    "--testbed", default=DEFAULT.name, show_default=True, type=click.Choice(list(TESTBEDS))
)
@with_repeats
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
@self_check_option
@details_option
@with_options(option for kind in TESTBEDS.values() for option in kind.options)
def run(
    scenario: Path,
    schedulers: tuple[str, ...],
    testbed: str,
    repeats: int | str,
    precision: float | None,
    max_repeats: int | None,
    hz: float,
    out: Path | None,
    comparisons: int | None,
    details: bool,
    **options: Any,
) -> int:
    """Run SCENARIO for each scheduler and compare them.

    SCENARIO is a file, or the name of a shipped scenario, as skew.
    """
    with quick_imports():
        from ipvsload.experiment.monotonic_clock import MonotonicClock
        from ipvsload.experiment.run_directory import make_directory
        from ipvsload.record.empty_directory import make_empty
        from ipvsload.scenario.load import parse_scenario, read, with_files
        from ipvsload.scenario.scenario_files import ScenarioFiles
        from ipvsload.scenario.self_check import checked_columns
        from ipvsload.scenario.shipped import scenario_path
        from ipvsload.scenario.variant import PRESENT, labels
        from ipvsload.this_machine import refuse_too_much

    times = wanted_repeats(repeats, precision, max_repeats)
    if comparisons:
        times = blocks_of_each(times)
    kind = TESTBEDS[testbed]
    refuse_foreign_options(kind)
    path = scenario_path(scenario)
    text = read(path)
    plan = parse_scenario(text, str(path), ScenarioFiles(path.parent))
    text = with_files(text, plan)
    wanted = wanted_variants(schedulers, plan)
    if comparisons:
        wanted = (column_to_check(schedulers, plan),)
    bed = make_testbed(kind, plan, wanted, hz, options)
    refuse_too_much(plan, kind.own_ports, kind.host(options))
    directory = out or make_directory(plan.name)
    make_empty(directory)
    clock = MonotonicClock()
    failure: IpvsloadError | None = None
    writer = None
    with ExitStack() as at_last:
        try:
            tell(f"bringing the {testbed} testbed up ...")
            failure = _failure_of(bed.start)
            # Heavy imports from here on, while the kernel boots.
            with quick_imports():
                from ipvsload.described_machine import described_machine
                from ipvsload.record.writer import RunWriter
            writer = RunWriter(
                directory,
                scenario_text=text,
                scenario=plan.name,
                testbed=testbed,
                origin_unix_us=clock.origin_unix_us,
                machine=described_machine(),
            )
            if failure:
                raise failure
            if "scheduler" in bed.lacks and not schedulers:
                wanted = (PRESENT,)
                say(
                    "the scheduler that is there is measured, not each of the scenario's"
                    f" ({labels(plan.schedulers)}): {bed.lacks['scheduler']}"
                )
            if comparisons:
                now_us = clock.now_us()
                check = begin_self_check(wanted[0], comparisons, times.most, writer, now_us)
                wanted, times = checked_columns(wanted[0], check), Repeats(check.repeats)
            with quick_imports():
                from ipvsload.experiment.headless import play_headless
                from ipvsload.experiment.precision_rule import PrecisionRule
                from ipvsload.report.terminal_progress import TerminalProgress

            progress = TerminalProgress(plan)
            rule = None
            if times.precision:
                rule = PrecisionRule(directory, plan, wanted, times.precision)
            play_headless(
                plan, bed, writer, clock, hz, wanted, times.most, progress, rule, import_reports
            )
        except IpvsloadError as error:
            if writer is None:
                raise
            failure = error
        finally:
            try:
                bed.release()
                at_last.callback(bed.close)
            except IpvsloadError as error:
                if failure:
                    say(f"{error.prefix}{error}")
                failure = failure or error
            if writer:
                writer.close()
        return conclude(directory, failure, details=details)


def _failure_of(act: "Callable[[], None]") -> IpvsloadError | None:
    """Do it; the error that it ended with, which is for the record."""
    try:
        act()
    except IpvsloadError as error:
        return error
    return None
