"""Take a real server out of the kernel's table."""

from ipvsload.scenario.actions.base import Action, ActionTarget, absent_server
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber


class Remove(Action):
    """Remove this server; the last one cannot be removed."""

    key = "remove"
    rank = 50
    meaning = "Take this server out of the kernel's table; the others keep their numbers."
    needs = "scale"
    in_scenarios = True

    server: ServerNumber

    def describe(self) -> str:
        return f"remove server {self.server}"

    def plan(self, planned: PlannedState, loc: Loc) -> list[Fault]:
        faults = absent_server(self.server, planned, loc)
        if not faults and len(planned.weights) == 1:
            text = f"server {self.server} is the last one; a service needs one at least"
            return [Fault(loc, text)]
        planned.weights.pop(self.server, None)
        return faults

    def act(self, target: ActionTarget) -> None:
        target.remove(self.server)
