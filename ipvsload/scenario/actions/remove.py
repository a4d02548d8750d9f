"""Take a real server out of the kernel's table."""

from collections.abc import Mapping

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber


class Remove(Action):
    """Take this server out of the kernel's table; the others keep their numbers."""

    rank = 50
    needs = "scale"
    on_page = False

    server: ServerNumber

    def describe(self) -> str:
        return f"remove server {self.server}"

    def plan(self, planned: PlannedState) -> None:
        if not planned.has_server(self.server):
            return
        if len(planned.weights) == 1:
            planned.refuse(f"server {self.server} is the last one; a service needs one at least")
        else:
            del planned.weights[self.server]

    def shown_by(self, weights: Mapping[int, int]) -> bool:
        return self.server not in weights

    def act(self, target: ActionTarget) -> None:
        target.remove(self.server)
