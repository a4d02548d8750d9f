"""`ipvsload run`: a scenario for each scheduler, recorded and judged."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ipvsload.cli.asked_experiment import asked_experiment, asks_for_experiment
from ipvsload.cli.records import conclude, import_reports
from ipvsload.cli.regression import write_kept
from ipvsload.cli.repeats import Repeats
from ipvsload.cli.self_check import begin_self_check
from ipvsload.cli.terminal import say, tell
from ipvsload.cli.testbeds import make_testbed, refuse_foreign_options, with_options
from ipvsload.errors import IpvsloadError
from ipvsload.program_objects import quick_imports
from ipvsload.testbed.registry import DEFAULT, TESTBEDS

if TYPE_CHECKING:
    from collections.abc import Callable

_OF_TESTBEDS = tuple(option.name for kind in TESTBEDS.values() for option in kind.options)


@click.command()
@asks_for_experiment
@click.option(
    "--testbed", default=DEFAULT.name, show_default=True, type=click.Choice(list(TESTBEDS))
)
@click.option(
    "--hz",
    default=10.0,
    show_default=True,
    type=click.FloatRange(1, 50),
    help="Samples of the kernel's table a second.",
)
@with_options(option for kind in TESTBEDS.values() for option in kind.options)
def run(testbed: str, hz: float, out: Path | None, details: bool, **options: Any) -> int:
    """Run SCENARIO for each scheduler and compare them.

    SCENARIO is a file, or the name of a shipped scenario, as skew.
    """
    with quick_imports():
        from ipvsload.experiment.monotonic_clock import MonotonicClock
        from ipvsload.experiment.run_directory import make_directory
        from ipvsload.record.empty_directory import make_empty
        from ipvsload.scenario.self_check import checked_columns
        from ipvsload.scenario.variant import PRESENT, labels
        from ipvsload.this_machine import refuse_too_much

    kind = TESTBEDS[testbed]
    refuse_foreign_options(kind)
    of_testbeds = {name: options.pop(name) for name in _OF_TESTBEDS}
    asked = asked_experiment(testbed, **options)
    plan, wanted, times = asked.plan, asked.wanted, asked.times
    bed = make_testbed(kind, plan, wanted, hz, of_testbeds)
    refuse_too_much(plan, kind.own_ports, kind.host(of_testbeds))
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
                scenario_text=asked.text,
                scenario=plan.name,
                testbed=testbed,
                origin_unix_us=clock.origin_unix_us,
                machine=described_machine(),
            )
            write_kept(directory, asked.kept)
            if failure:
                raise failure
            if "scheduler" in bed.lacks and not options["schedulers"]:
                wanted = (PRESENT,)
                say(
                    "the scheduler that is there is measured, not each of the scenario's"
                    f" ({labels(plan.schedulers)}): {bed.lacks['scheduler']}"
                )
            if asked.comparisons:
                now_us = clock.now_us()
                check = begin_self_check(wanted[0], asked.comparisons, times.most, writer, now_us)
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
