"""End a real server's process, as a crash would."""

from ipvsload.scenario.actions.base import Action, ActionTarget, absent_server
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber


class Kill(Action):
    """End this server's process; a server dies once."""

    key = "kill"
    rank = 60
    meaning = "The server's process dies; its entry in the kernel's table stays."
    needs = "kill"
    in_scenarios = True
    on_page = True

    server: ServerNumber

    def describe(self) -> str:
        return f"kill server {self.server}"

    def plan(self, planned: PlannedState, loc: Loc) -> list[Fault]:
        faults = absent_server(self.server, planned, loc)
        if not faults and self.server in planned.killed:
            return [Fault(loc, f"server {self.server} was killed before")]
        planned.killed.add(self.server)
        return faults

    def act(self, target: ActionTarget) -> None:
        target.kill(self.server)
