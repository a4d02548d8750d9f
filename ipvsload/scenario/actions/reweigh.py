"""Change a real server's weight."""

from collections.abc import Mapping

from pydantic import ConfigDict

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import ServerNumber, Weight


class Reweigh(Action, use_attribute_docstrings=True):
    """Give a server another weight; 0 gives it no new connections."""

    # The schema describes the mapping apart from the key.
    model_config = ConfigDict(
        json_schema_extra={"description": "A real server's new weight; 0 takes no new connections."}
    )

    rank = 40
    needs = "weight"

    server: ServerNumber
    """The server's number, in the order of joining."""
    weight: Weight
    """Its new weight; 0: no new connections, old ones are served."""

    @property
    def shares(self) -> bool:
        return self.weight > 1

    def describe(self) -> str:
        return f"server {self.server}: weight {self.weight}"

    def plan(self, planned: PlannedState) -> None:
        if planned.has_server(self.server, "server"):
            planned.weights[self.server] = self.weight

    def shown_by(self, weights: Mapping[int, int]) -> bool:
        return weights.get(self.server) == self.weight

    def act(self, target: ActionTarget) -> None:
        target.reweigh(self.server, self.weight)
