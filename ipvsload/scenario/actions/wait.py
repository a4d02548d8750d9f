"""Wait for an event, or for a time to pass."""

from typing import Annotated

from pydantic import Field, PlainValidator

from ipvsload.scenario.actions.base import Action
from ipvsload.scenario.duration import PATTERN, looks_like_time, seconds
from ipvsload.scenario.expression import Condition

_Written = (
    Annotated[float, Field(ge=0)]
    | Annotated[str, Field(pattern=PATTERN)]
    | Annotated[str, Field(min_length=1)]
)


def _awaited(value: object) -> float | Condition:
    if looks_like_time(value) and not isinstance(value, Condition):
        return seconds(value)
    return Condition.validate(value)


class Wait(Action):
    """Wait for a condition to hold, or for a time such as 5s to pass."""

    rank = 70
    on_page = False

    event: Annotated[float | Condition, PlainValidator(_awaited, json_schema_input_type=_Written)]

    def describe(self) -> str:
        is_time = isinstance(self.event, float)
        return f"wait {self.event:g} s" if is_time else f"wait for {self.event}"

    def awaited(self) -> Condition | float:
        return self.event
