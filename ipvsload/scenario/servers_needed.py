"""What a scenario needs of a testbed before it begins."""

from ipvsload.scenario.model import Scenario


def need(scenario: Scenario) -> int:
    """How many real servers ever join: each one that joins is a new one."""
    joined = present = scenario.service.servers
    for step in scenario.timeline:
        if step.remove is not None:
            present -= 1
        elif step.scale is not None:
            joined += max(0, step.scale - present)
            present = step.scale
    return joined
