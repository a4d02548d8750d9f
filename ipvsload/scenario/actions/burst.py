"""Send many requests at once."""

from typing import Annotated

from pydantic import Field

from ipvsload.scenario.actions.base import Action, ActionTarget

MAX_BURST = 2000


class Burst(Action):
    """This many requests at once, each held open for `seconds`, on new connections."""

    rank = 90
    in_scenarios = False

    requests: Annotated[int, Field(ge=1, le=MAX_BURST)] = 10
    seconds: Annotated[float, Field(ge=0, le=60, strict=False)] = 10.0

    def describe(self) -> str:
        return f"burst of {self.requests} x {self.seconds:g} s"

    def act(self, target: ActionTarget) -> None:
        target.burst(self.requests, self.seconds)
