"""Have a real server vanish and return several times, as behind a loose cable."""

from functools import partial
from typing import Annotated

from pydantic import Field

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.duration import PositiveDuration
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber


class Flap(Action):
    """The server vanishes for `down`, is there for `up`, and so on; the next steps do not wait."""

    rank = 67
    needs = "faults"

    server: ServerNumber
    down: PositiveDuration = 1.0
    up: PositiveDuration = 1.0
    times: Annotated[int, Field(ge=1, le=1000)] = 3

    def describe(self) -> str:
        return (
            f"flap server {self.server}: {self.times} times {self.down:g} s away,"
            f" {self.up:g} s there"
        )

    def plan(self, planned: PlannedState) -> None:
        if planned.fault(self.server, "vanish", "server"):
            planned.fault(self.server, "return", "server")

    def act(self, target: ActionTarget) -> None:
        target.fault(self.server, "vanish")
        cycle = self.down + self.up
        for number in range(self.times):
            if number:
                target.later(number * cycle, partial(target.fault, self.server, "vanish"))
            target.later(number * cycle + self.down, partial(target.fault, self.server, "return"))
