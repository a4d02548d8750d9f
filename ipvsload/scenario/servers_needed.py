"""How many real servers a testbed must be able to give a scenario."""

from ipvsload.scenario.model import Scenario
from ipvsload.scenario.planned_state import PlannedState


def servers_needed(scenario: Scenario) -> int:
    """How many real servers ever join: each one that joins is a new one."""
    planned = PlannedState.at_start(scenario.service, scenario.traffic)
    for step in scenario.timeline:
        step.action.plan(planned)
    return planned.joined
