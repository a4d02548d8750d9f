"""Change the number of real servers."""

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.names import MAX_SERVERS
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerCount


class Scale(Action):
    """Have this many real servers: new ones join with weight 1, or the newest leave."""

    key = "scale"
    rank = 30
    meaning = "Have this many servers: new ones join, or the newest leave."
    needs = "scale"
    in_scenarios = True
    on_page = True

    servers: ServerCount

    def describe(self) -> str:
        return f"scale to {self.servers}"

    def plan(self, planned: PlannedState, loc: Loc) -> list[Fault]:
        present = len(planned.weights)
        if self.servers == present:
            are = "is 1 server" if present == 1 else f"are {present} servers"
            return [Fault(loc, f"there {are} already; this does nothing")]
        if planned.joined + self.servers - present > MAX_SERVERS:
            text = f"more than {MAX_SERVERS} servers would join over the whole run"
            return [Fault(loc, text)]
        planned.join(self.servers - present)
        for server in sorted(planned.weights)[self.servers :]:
            del planned.weights[server]
        return []

    def act(self, target: ActionTarget) -> None:
        target.scale(self.servers)
