"""End a real server's process, as a crash would."""

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber


class Kill(Action):
    """The server's process dies; its entry in the kernel's table stays."""

    rank = 60
    needs = "faults"

    server: ServerNumber

    def describe(self) -> str:
        return f"kill server {self.server}"

    def plan(self, planned: PlannedState) -> None:
        planned.fault(self.server, "kill")

    def act(self, target: ActionTarget) -> None:
        target.fault(self.server, "kill")
