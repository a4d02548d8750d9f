"""Give a real server another speed while it runs."""

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.capacity import Speed
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber


class Slow(Action):
    """The server does its work at this speed: 0.1 takes ten times as long, 1 is as usual."""

    rank = 63
    needs = "faults"

    server: ServerNumber
    speed: Speed

    def describe(self) -> str:
        return f"server {self.server}: speed {self.speed:g}"

    def plan(self, planned: PlannedState) -> None:
        planned.slow(self.server, self.speed, "server")

    def act(self, target: ActionTarget) -> None:
        target.set_speed(self.server, self.speed)
