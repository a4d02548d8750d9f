"""Stop a real server's process where it is, as SIGSTOP or a long pause of its runtime would."""

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber


class Freeze(Action):
    """The server's process stands still: its kernel takes connections, and nobody answers."""

    rank = 61
    needs = "faults"

    server: ServerNumber

    def describe(self) -> str:
        return f"freeze server {self.server}"

    def plan(self, planned: PlannedState) -> None:
        planned.fault(self.server, "freeze")

    def act(self, target: ActionTarget) -> None:
        target.fault(self.server, "freeze")
