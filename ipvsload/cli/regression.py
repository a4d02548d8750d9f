"""`--fail-on-regression`: a new recording is held against a kept one."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ipvsload.cli.repeats import Repeats
from ipvsload.cli.terminal import passing_line
from ipvsload.errors import UsageError

if TYPE_CHECKING:
    from ipvsload.record.reader import Recording
    from ipvsload.results.kept_recording import KeptRecording
    from ipvsload.results.regression_result import RegressionResult
    from ipvsload.results.results import Results
    from ipvsload.scenario.model import Scenario
    from ipvsload.scenario.variant import Variant


def kept_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator for a command that takes `kept`."""
    return click.option(
        "--fail-on-regression",
        "kept",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Compare with the recording that was kept in DIR, and fail where a measure under test"
        " got worse by more than chance and by more than the scenario's margin.",
    )(command)


def kept_recording(
    directory: Path,
    plan: "Scenario",
    wanted: "Sequence[Variant]",
    testbed: str,
    times: Repeats,
) -> "KeptRecording":
    """The kept one, by the measures of `plan`.

    Raises UsageError where it is none, or where no comparison with it could say anything.
    """
    from ipvsload.record.reader import read
    from ipvsload.results.comparison import ComparedRecording
    from ipvsload.results.comparison_plan import comparison_plan
    from ipvsload.results.evaluate import evaluate
    from ipvsload.results.kept_recording import KeptRecording
    from ipvsload.results.precision import LEAST_BLOCKS
    from ipvsload.results.recorded_scenario import planned_columns
    from ipvsload.results.recording_pairs import same_arrivals
    from ipvsload.results.regressions import refuse_other_experiment, refuse_too_few
    from ipvsload.scenario.variant import PRESENT

    recording = read(directory)
    name = str(directory)
    theirs = refuse_other_experiment(name, recording, plan, wanted, testbed)
    measures = comparison_plan(plan).measures
    with passing_line() as say_now:
        results = evaluate(
            recording,
            theirs.model_copy(update={"measures": measures}),
            lambda at, of: say_now(f"evaluating run {at} of {of} in {directory} ..."),
        )
    paired = same_arrivals(theirs, plan)
    least = LEAST_BLOCKS if times.precision else times.most
    known = set(map(str, measures))
    columns = [one for one in results.columns if one.measure in known]
    labels = [one.label for one in wanted]
    if PRESENT.label in planned_columns(recording):
        # The balancer that was there was measured, whatever the scenario names; so it will be now.
        labels = [one.label for one in columns]
    refuse_too_few(name, columns, labels, least, paired=paired)
    return KeptRecording.of(ComparedRecording.of(name, recording, results), paired=paired)


def regressions_since(
    kept: "tuple[Recording, Results]", later: "tuple[Recording, Results]"
) -> "RegressionResult":
    """The later recording against the kept one. Raises UsageError as `kept_recording` does."""
    from ipvsload.results.comparison import ComparedRecording
    from ipvsload.results.kept_recording import KeptRecording
    from ipvsload.results.recorded_scenario import recorded_scenario
    from ipvsload.results.recording_differences import found_facts
    from ipvsload.results.recording_pairs import same_load
    from ipvsload.results.regressions import refuse_other_experiment, refuse_too_few, regressions

    first, other = (
        ComparedRecording.of(str(recording.directory), recording, results)
        for recording, results in (kept, later)
    )
    plan = recorded_scenario(later[0])
    if plan is None:
        raise UsageError(f"{other.name}: its scenario.yaml is missing or not valid")
    labels = [one.label for one in later[1].schedulers]
    wanted = [one for one in plan.schedulers if one.label in labels]
    refuse_other_experiment(first.name, kept[0], plan, wanted, later[0].header.testbed)
    paired = same_load(first, other)
    blocks = max((len(one.blocks) for one in later[1].columns), default=0)
    refuse_too_few(first.name, kept[1].columns, labels, blocks, paired=paired)
    known = KeptRecording.of(first, paired=paired)
    return regressions(later[1].columns, known, found_facts(other), plan.margin)


def write_kept(directory: Path, kept: "KeptRecording | None") -> None:
    """Write into the new recording what it is held against. Raises UsageError."""
    from ipvsload.record.format import KEPT

    if kept is None:
        return
    try:
        (directory / KEPT).write_text(json.dumps(kept.to_json()) + "\n")
    except OSError as error:
        raise UsageError(f"{directory}: cannot write: {error.strerror}") from None
