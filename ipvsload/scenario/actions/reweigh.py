"""Change a real server's weight."""

from ipvsload.scenario.actions.base import Action, ActionTarget, absent_server
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber, Weight


class Reweigh(Action, use_attribute_docstrings=True):
    """A real server's new weight; 0 drains it."""

    key = "reweigh"
    rank = 40
    meaning = "Give a server another weight; 0 drains it."
    needs = "weight"
    in_scenarios = True
    on_page = True

    server: ServerNumber
    """The server's number, in the order of joining."""
    weight: Weight
    """Its new weight; 0: no new connections, old ones are served."""

    def describe(self) -> str:
        return f"server {self.server}: weight {self.weight}"

    def plan(self, planned: PlannedState, loc: Loc) -> list[Fault]:
        faults = absent_server(self.server, planned, (*loc, "server"))
        if not faults:
            planned.weights[self.server] = self.weight
        return faults

    def act(self, target: ActionTarget) -> None:
        target.reweigh(self.server, self.weight)
