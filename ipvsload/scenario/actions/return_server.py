"""Have a vanished real server's packets arrive again."""

from typing import ClassVar

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber


class Return(Action):
    """A server that had vanished is there again, with the connections that it had."""

    key: ClassVar[str] = "return"  # a word of Python: no module can be named so

    rank = 65
    needs = "faults"

    server: ServerNumber

    def describe(self) -> str:
        return f"return server {self.server}"

    def plan(self, planned: PlannedState) -> None:
        planned.fault(self.server, "return")

    def act(self, target: ActionTarget) -> None:
        target.fault(self.server, "return")
