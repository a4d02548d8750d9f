"""Let a frozen real server go on."""

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber


class Thaw(Action):
    """A frozen server goes on where it stood."""

    rank = 62
    needs = "faults"

    server: ServerNumber

    def describe(self) -> str:
        return f"thaw server {self.server}"

    def plan(self, planned: PlannedState) -> None:
        planned.fault(self.server, "thaw")

    def act(self, target: ActionTarget) -> None:
        target.fault(self.server, "thaw")
