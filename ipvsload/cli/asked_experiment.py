"""What `run` and `simulate` are asked alike: which scenario, which columns, how often."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ipvsload.cli.name_completion import complete_scenario, complete_scheduler
from ipvsload.cli.records import details_option
from ipvsload.cli.regression import kept_option, kept_recording
from ipvsload.cli.repeats import Repeats, wanted_repeats, with_repeats
from ipvsload.cli.self_check import blocks_of_each, column_to_check, self_check_option
from ipvsload.cli.variants import wanted_variants
from ipvsload.errors import UsageError
from ipvsload.program_objects import quick_imports

if TYPE_CHECKING:
    from ipvsload.results.kept_recording import KeptRecording
    from ipvsload.scenario.model import Scenario
    from ipvsload.scenario.variant import Variant


@dataclass(frozen=True, slots=True)
class AskedExperiment:
    """The scenario with its text, its columns, and how often they are played.

    `comparisons` of the only column with itself are wanted, if any are. `kept` is what the
    recording is held against.
    """

    plan: "Scenario"
    text: str
    wanted: "tuple[Variant, ...]"
    times: Repeats
    comparisons: int | None
    kept: "KeptRecording | None"

    @property
    def most_runs_of_each(self) -> int:
        """How often each of `wanted` is played at most."""
        return self.times.most * (2 * self.comparisons if self.comparisons else 1)


def asks_for_experiment(command: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator: a command with all that `asked_experiment` takes, and `out` and `details`."""
    for option in (
        details_option,
        kept_option,
        self_check_option,
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            help="Directory of the record, new or empty. Default: runs/NAME-TIME.",
        ),
        with_repeats,
        click.option(
            "--scheduler",
            "schedulers",
            multiple=True,
            metavar="LABEL",
            shell_complete=complete_scheduler,
            help="Take only this one: one of the scenario, by its label, or any other by its name;"
            " may be given again. Default: those of the scenario.",
        ),
        click.argument(
            "scenario", type=click.Path(path_type=Path), shell_complete=complete_scenario
        ),
    ):
        command = option(command)
    return command


def asked_experiment(
    testbed: str,
    *,
    scenario: Path,
    schedulers: tuple[str, ...],
    repeats: int | str,
    precision: float | None,
    max_repeats: int | None,
    comparisons: int | None,
    kept: Path | None,
    change: "Callable[[Scenario], Scenario]" = lambda plan: plan,
) -> AskedExperiment:
    """What the options say, to be played on a testbed of this name. Raises UsageError.

    `change` makes of the file's scenario the one that is played.
    """
    with quick_imports():
        from ipvsload.scenario.load import parse_scenario, read, with_files
        from ipvsload.scenario.scenario_files import ScenarioFiles
        from ipvsload.scenario.shipped import scenario_path

    times = wanted_repeats(repeats, precision, max_repeats)
    if comparisons:
        times = blocks_of_each(times)
    path = scenario_path(scenario)
    text = read(path)
    plan = parse_scenario(text, str(path), ScenarioFiles(path.parent))
    text = with_files(text, plan)
    plan = change(plan)
    if comparisons:
        if kept:
            raise UsageError("--self-check compares a scheduler with itself: not with a recording")
        wanted: tuple[Variant, ...] = (column_to_check(schedulers, plan),)
    else:
        wanted = wanted_variants(schedulers, plan)
    found = kept_recording(kept, plan, wanted, testbed, times) if kept else None
    return AskedExperiment(plan, text, wanted, times, comparisons, found)
