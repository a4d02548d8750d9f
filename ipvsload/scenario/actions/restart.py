"""End a real server's process and start it again."""

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber


class Restart(Action):
    """The server's connections are reset, and a new process listens at once."""

    rank = 66
    needs = "faults"

    server: ServerNumber

    def describe(self) -> str:
        return f"restart server {self.server}"

    def plan(self, planned: PlannedState) -> None:
        planned.fault(self.server, "restart")

    def act(self, target: ActionTarget) -> None:
        target.fault(self.server, "restart")
