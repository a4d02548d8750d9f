"""The scenario that a test plays: read anew for each test, with what was asked of it."""

from dataclasses import dataclass

from ipvsload.errors import UsageError
from ipvsload.scenario.check import check
from ipvsload.scenario.load import parse_scenario, read
from ipvsload.scenario.model import Scenario
from ipvsload.swarm.options import Options


@dataclass(frozen=True, slots=True)
class Plan:
    """A scenario, its text as it is recorded, and the scheduler that it is played with."""

    scenario: Scenario
    text: str
    scheduler: str


def make_plan(options: Options, fixed: bool) -> Plan:
    """The plan of a test with these options; `fixed`: the balancer cannot be changed.

    Raises UsageError for a scenario with a fault, or one that these options or
    this balancer do not fit.
    """
    assert options.scenario
    text = read(options.scenario)
    scenario = parse_scenario(text, str(options.scenario))
    changes = {
        key: value
        for key, value in (("servers", options.servers), ("clients", options.clients))
        if value
    }
    if changes:
        if options.servers and scenario.service.weights:
            raise UsageError(f"{options.scenario} has weights for its servers: leave --servers out")
        service = scenario.service.model_copy(update=changes)
        scenario = scenario.model_copy(update={"service": service})
        faults = check(scenario)
        if faults:
            asked = ", ".join(f"--{key} {value}" for key, value in changes.items())
            raise UsageError(f"{options.scenario} with {asked}: {faults[0].text}")
        text = f"# played with {', '.join(f'{k}: {v}' for k, v in changes.items())}\n{text}"
    if fixed:
        wants = next(
            (step for step in scenario.timeline if step.action not in ("start", "stop", "wait")),
            None,
        )
        if wants:
            raise UsageError(
                f"{options.scenario} wants to {wants.describe()}, and the balancer at -H is not"
                " ours to change; the lab is (leave -H out)"
            )
    scheduler = options.scheduler or ("" if fixed else scenario.schedulers[0])
    return Plan(scenario, text, scheduler)
