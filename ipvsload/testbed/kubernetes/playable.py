"""Which scenarios a cluster can play, said before anything is touched. Pure."""

from ipvsload.errors import UsageError
from ipvsload.scenario.model import Scenario

NO_WEIGHTS = (
    "kube-proxy gives every real server weight 1: other weights need the lab, or an external"
    " director"
)
NO_KILL = "a cluster takes a dead pod out of the table itself: `kill` needs the lab"


def check(scenario: Scenario) -> None:
    """Raises UsageError for weights, for `kill`, and for several client addresses."""
    if any(weight != 1 for weight in scenario.service.weights):
        raise UsageError(f"scenario {scenario.name}: {NO_WEIGHTS}")
    if scenario.service.clients > 1:
        raise UsageError(
            f"scenario {scenario.name}: `clients: {scenario.service.clients}` needs the lab: here"
            " the load has this machine's own address"
        )
    for step in scenario.timeline:
        if step.kill is not None:
            raise UsageError(f"scenario {scenario.name}: {NO_KILL}")
        if step.reweigh is not None:
            raise UsageError(f"scenario {scenario.name}: {NO_WEIGHTS}")
