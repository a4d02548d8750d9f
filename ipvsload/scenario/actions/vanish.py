"""Lose a real server's packets, as a machine without power or a cut cable would."""

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber


class Vanish(Action):
    """What is sent to the server is lost without a word; its entry in the kernel's table stays."""

    rank = 64
    needs = "faults"

    server: ServerNumber

    def describe(self) -> str:
        return f"vanish server {self.server}"

    def plan(self, planned: PlannedState) -> None:
        planned.fault(self.server, "vanish")

    def act(self, target: ActionTarget) -> None:
        target.fault(self.server, "vanish")
