"""`service: source-ports`: which port of its address each connection comes from."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ipvsload.scenario.faults import unexpected

MAX_PORTS = 1_000
IN_TURN: Literal["in-turn"] = "in-turn"
_WORDS = (IN_TURN, "random")
_Few = Annotated[int, Field(ge=1, le=MAX_PORTS)]


def _choice(value: object) -> object:
    if value not in _WORDS and (isinstance(value, bool) or not isinstance(value, int)):
        raise unexpected(f"expected in-turn, random or a number of ports from 1 to {MAX_PORTS}")
    if isinstance(value, int) and not 1 <= value <= MAX_PORTS:
        raise unexpected(f"expected 1 to {MAX_PORTS} ports")
    return value


SourcePortChoice = Annotated[
    Literal["in-turn", "random"] | int,
    BeforeValidator(_choice, json_schema_input_type=Literal["in-turn", "random"] | _Few),
]
"""All in turn, any at random, or a fixed few."""
