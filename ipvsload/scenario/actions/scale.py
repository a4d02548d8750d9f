"""Change the number of real servers."""

from collections.abc import Mapping

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.names import MAX_SERVERS
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerCount


class Scale(Action):
    """Have this many servers: new ones join, or the newest leave."""

    rank = 30
    needs = "scale"

    servers: ServerCount

    def describe(self) -> str:
        return f"scale to {self.servers}"

    def plan(self, planned: PlannedState) -> None:
        present = len(planned.weights)
        if self.servers == present:
            are = "is 1 server" if present == 1 else f"are {present} servers"
            planned.refuse(f"there {are} already; this does nothing")
        elif planned.joined + self.servers - present > MAX_SERVERS:
            planned.refuse(f"more than {MAX_SERVERS} servers would join over the whole run")
        else:
            planned.join(self.servers - present)
            for server in sorted(planned.weights)[self.servers :]:
                del planned.weights[server]

    def shown_by(self, weights: Mapping[int, int]) -> bool:
        return len(weights) == self.servers

    def act(self, target: ActionTarget) -> None:
        target.scale(self.servers)
