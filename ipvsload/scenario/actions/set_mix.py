"""Change how many users of each kind there are."""

from typing import Annotated

from pydantic import Field

from ipvsload.scenario.actions.base import Action, ActionTarget


class SetMix(Action):
    """Another mix of Locust's user classes, by name: the users are rebalanced now."""

    rank = 100
    in_scenarios = False

    weights: Annotated[
        dict[str, Annotated[int, Field(ge=0, le=10_000)]], Field(min_length=1, max_length=100)
    ]

    def describe(self) -> str:
        return "mix " + ", ".join(f"{name} {weight}" for name, weight in self.weights.items())

    def carry_out(self, target: ActionTarget) -> str:
        return SetMix(weights=dict(target.set_mix(self.weights))).describe()
