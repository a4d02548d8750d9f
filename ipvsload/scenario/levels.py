"""How a scenario writes a rate or a number of users: one number, or stages.

`200`, `{from: 50, to: 500, over: 30s}`, or a list of such stages; `{rate: 100, over: 10s}`
stays at one level, and a plain number at the end of a list does so without an end.
"""

import math
from typing import Annotated, Any, NamedTuple

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticKnownError

from ipvsload.scenario import duration
from ipvsload.scenario.faults import misplaced, unexpected
from ipvsload.scenario.names import MAX_USERS
from ipvsload.scenario.stages import Stage, Stages, expected
from ipvsload.scenario.words import hint, number, quoted


class _Kind(NamedTuple):
    """What has a level: its word in a stage, the type of one number, and the most it may be."""

    word: str
    alone: TypeAdapter[Any]
    most: int
    whole: bool

    def read(self, value: object) -> Any:
        """A number, or the stages; raises an error of pydantic's for people."""
        if not isinstance(value, dict | list | tuple):
            try:
                return self.alone.validate_python(value, strict=True)
            except ValidationError as error:
                found = error.errors()[0]
                raise PydanticKnownError(found["type"], found.get("ctx")) from None  # type: ignore[arg-type]
        if isinstance(value, dict):
            stages: Stages = (self._stage(value, (), True),)
        else:
            last = len(value) - 1
            stages = tuple(self._stage(one, (at,), at == last) for at, one in enumerate(value))
        if not expected(stages):
            raise unexpected(f"{self.word} must be more than 0 in at least one stage")
        return stages

    def _stage(self, value: object, at: tuple[int, ...], last: bool) -> Stage:
        if isinstance(value, Stage):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not last:
                raise misplaced(
                    f"this stage would not end; write {{{self.word}: {number(value)}, over: 10s}},"
                    " or make it the last one",
                    *at,
                )
            level = self._level(value, *at)
            return Stage(level, level)
        if not isinstance(value, dict):
            raise misplaced(
                f"expected a stage such as {{from: 1, to: 50, over: 30s}} or"
                f" {{{self.word}: 10, over: 30s}}",
                *at,
            )
        keys = [self.word] if self.word in value else ["from", "to"]
        known = [*keys, "over"]
        for key in value:
            if key not in known:
                if key in (self.word, "from", "to"):
                    reason = f"'{key}' and '{self.word}' do not go together"
                else:
                    choice = [self.word, "from", "to", "over"]
                    reason = f"unknown key {quoted(key)}; {hint(key, choice, 'keys')}"
                raise misplaced(reason, *at, key, at_key=True)
        missing = [key for key in known if key not in value]
        if missing:
            raise misplaced(f"a stage needs '{missing[0]}', too", *at)
        levels = [self._level(value[key], *at, key) for key in keys]
        return Stage(levels[0], levels[-1], _seconds(value["over"], at))

    def _level(self, value: object, *at: str | int) -> float:
        wanted = "a whole number" if self.whole else "a number"
        right = isinstance(value, int if self.whole else int | float)
        if not right or isinstance(value, bool) or not 0 <= value <= self.most:  # type: ignore[operator]
            raise misplaced(f"expected {wanted} from 0 to {self.most}", *at)
        return float(value)  # type: ignore[arg-type]

    def schema(self) -> dict[str, Any]:
        """For the JSON Schema of scenario files."""
        level = {"type": "integer" if self.whole else "number", "minimum": 0, "maximum": self.most}
        over = TypeAdapter(duration.PositiveDuration).json_schema()

        def stage(*keys: str) -> dict[str, Any]:
            properties = {**dict.fromkeys(keys, level), "over": over}
            return {
                "type": "object",
                "properties": properties,
                "required": list(properties),
                "additionalProperties": False,
            }

        stages = [stage(self.word), stage("from", "to")]
        one = self.alone.json_schema()
        items = {"anyOf": [*stages, level]}
        return {"anyOf": [one, *stages, {"type": "array", "minItems": 1, "items": items}]}


def _seconds(value: object, at: tuple[int, ...]) -> float:
    try:
        seconds = duration.seconds(value)
    except ValueError:
        seconds = 0.0
    if not seconds:
        raise misplaced("expected a time of more than 0, such as 30s", *at, "over")
    return seconds


def _written(value: float | Stages | None) -> Any:
    """As a scenario writes it."""
    if not isinstance(value, tuple):
        return value
    return [
        {"from": _plain(one.start), "to": _plain(one.end), "over": one.over}
        if math.isfinite(one.over)
        else _plain(one.start)
        for one in value
    ]


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


_RATE = _Kind("rate", TypeAdapter(Annotated[float, Field(gt=0, le=100_000)]), 100_000, False)
_USERS = _Kind("users", TypeAdapter(Annotated[int, Field(ge=1, le=MAX_USERS)]), MAX_USERS, True)

RateField = Annotated[
    float | Stages,
    PlainValidator(_RATE.read),
    PlainSerializer(_written),
    WithJsonSchema(_RATE.schema()),
]
"""Arrivals per second: one number, or stages."""

UsersField = Annotated[
    int | Stages,
    PlainValidator(_USERS.read),
    PlainSerializer(_written),
    WithJsonSchema(_USERS.schema()),
]
"""A number of users: one, or stages."""


def stages_of(level: float | Stages | None) -> Stages:
    """A level as stages; one number stays so without an end."""
    if level is None:
        return ()
    return level if isinstance(level, tuple) else (Stage(level, level),)


def most(level: float | Stages) -> float:
    """The highest level."""
    return max(max(one.start, one.end) for one in stages_of(level))


def written(level: float | Stages, unit: str) -> str:
    """For people: "50 to 500/s", "1 to 50 users", "200/s"."""
    levels = [value for one in stages_of(level) for value in (one.start, one.end)]
    low, high = number(min(levels)), number(max(levels))
    return f"{high if low == high else f'{low} to {high}'}{unit}"
