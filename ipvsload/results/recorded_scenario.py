"""The scenario that a recording was made of: its copy in the run directory."""

from ipvsload.errors import UsageError
from ipvsload.record.events import BlocksPlanned, ScenarioScaled, SelfCheckPlanned
from ipvsload.record.format import SCENARIO
from ipvsload.record.reader import Recording
from ipvsload.scenario.load import parse_scenario
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.scaled import ScaledBy, scaled
from ipvsload.scenario.self_check import SelfCheck, compared_with_itself


def recorded_scenario(recording: Recording) -> Scenario | None:
    """The scenario as it was run; None where its copy is lost or not valid."""
    if recording.scenario_text is None:
        return None
    try:
        found = parse_scenario(recording.scenario_text, str(recording.directory / SCENARIO))
        found = scaled(found, scaling_of(recording))
    except UsageError:
        return None
    check = recorded_self_check(recording)
    return compared_with_itself(found, check) if check else found


def recorded_self_check(recording: Recording) -> SelfCheck | None:
    """How a scheduler was to be compared with itself; None where that was not the question."""
    for how in recording.of_type(SelfCheckPlanned):
        return SelfCheck(how.label, how.again, how.comparisons, how.blocks, how.apart)
    return None


def scaling_of(recording: Recording) -> ScaledBy:
    """How the scenario was changed before it was simulated."""
    for how in recording.of_type(ScenarioScaled):
        return ScaledBy(how.servers, how.directors, how.seed)
    return ScaledBy()


def planned_columns(recording: Recording) -> tuple[str, ...]:
    """The labels of what was to be run, as people named them; () in an earlier recording."""
    return tuple(label for event in recording.of_type(BlocksPlanned) for label in event.columns)
