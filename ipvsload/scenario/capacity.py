"""What each real server can do at once, and what it does with more.

Without it a server serves any number of requests at once, and then all
schedulers give nearly the same latency.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ipvsload.scenario.faults import unexpected
from ipvsload.scenario.names import MAX_SERVERS
from ipvsload.scenario.strict import Strict

MAX_WORKERS = 10_000
MAX_QUEUE = 1_000_000
MIN_SPEED, MAX_SPEED = 0.001, 1_000

Overflow = Literal[503, "refuse"]
Speed = Annotated[float, Field(ge=MIN_SPEED, le=MAX_SPEED, allow_inf_nan=False)]


def _one_or_more(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | list | tuple):
        raise unexpected("expected a number, or a list with one for each server")
    return value if isinstance(value, list | tuple) else (value,)


def _overflow(value: object) -> object:
    if value != "refuse" and (value != 503 or not isinstance(value, int)):
        raise unexpected("expected 503 or refuse")
    return value


class Capacity(Strict, use_attribute_docstrings=True):
    """The workers of each real server, its queue, and its speed."""

    workers: Annotated[int, Field(ge=1, le=MAX_WORKERS)]
    """How many requests a server works on at the same time."""
    queue: Annotated[int, Field(ge=0, le=MAX_QUEUE)] | None = None
    """How many more may wait, first come, first served; without it, any number."""
    overflow: Annotated[Overflow, BeforeValidator(_overflow, json_schema_input_type=Overflow)] = 503
    """What a request gets that finds the queue full: status 503, or a reset connection."""
    speed: Annotated[
        tuple[Speed, ...],
        Field(strict=False, min_length=1, max_length=MAX_SERVERS),
        BeforeValidator(
            _one_or_more,
            json_schema_input_type=Speed | Annotated[tuple[Speed, ...], Field(min_length=1)],
        ),
    ] = (1.0,)
    """Work takes its length divided by this: one number, or one for each server that joins."""

    def speed_of(self, number: int) -> float:
        """The speed of server `number`, counted from 1 in the order of joining."""
        if len(self.speed) == 1:
            return self.speed[0]
        # More than the scenario has may join by hand, on the page.
        return self.speed[number - 1] if number <= len(self.speed) else 1.0
