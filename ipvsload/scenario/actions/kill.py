"""End a real server's process, as a crash would."""

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber


class Kill(Action):
    """The server's process dies; its entry in the kernel's table stays."""

    rank = 60
    needs = "kill"

    server: ServerNumber

    def describe(self) -> str:
        return f"kill server {self.server}"

    def plan(self, planned: PlannedState) -> None:
        if planned.has_server(self.server) and self.server in planned.killed:
            planned.refuse(f"server {self.server} was killed before")
        planned.killed.add(self.server)

    def act(self, target: ActionTarget) -> None:
        target.kill(self.server)
