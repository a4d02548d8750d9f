"""Times as people write them: 500ms, 1.5s, 2m, or plain seconds.

The limit of a day is there on purpose: a longer time in a load test is a
mistake in writing.
"""

import math
import re
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from ipvsload.scenario.faults import unexpected

MAX_SECONDS = 24 * 3600
PATTERN = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$"
_FORM = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(value: object) -> float:
    """Seconds from a number or from text such as "500ms".

    Raises a ValueError of pydantic's with a message for people.
    """
    if isinstance(value, str) and (found := _FORM.fullmatch(value)):
        amount = float(found[1]) * _SECONDS[found[2]]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        # A comparison first: float() of a huge int raises OverflowError.
        amount = float(value) if abs(value) <= MAX_SECONDS else math.inf
    else:
        raise unexpected("expected a time such as 10s, 500ms or 2m")
    if not 0 <= amount <= MAX_SECONDS:
        raise unexpected("a time must be between 0 and 24h")
    return amount


def looks_like_time(value: object) -> bool:
    """Whether somebody who wrote this meant a time, not a condition."""
    if isinstance(value, str):
        return re.fullmatch(r"\s*[+-]?[0-9.]+\s*\w*\s*", value) is not None
    return True


def _positive_seconds(value: object) -> float:
    amount = seconds(value)
    if amount == 0:
        raise unexpected("must be more than 0")
    return amount


def _schema(limit: str) -> dict[str, Any]:
    return {
        "anyOf": [
            {"type": "number", limit: 0, "maximum": MAX_SECONDS},
            {"type": "string", "pattern": PATTERN},
        ]
    }


Duration = Annotated[float, PlainValidator(seconds), WithJsonSchema(_schema("minimum"))]
"""Seconds, 0 to 24 h; read from a number of seconds or from text with a unit."""

PositiveDuration = Annotated[
    float, PlainValidator(_positive_seconds), WithJsonSchema(_schema("exclusiveMinimum"))
]
"""The same, and not 0."""


def whole_seconds(value: object) -> int:
    """Whole seconds, 1 to 24 h, from a number or from text such as "60s".

    Raises a ValueError of pydantic's with a message for people.
    """
    amount = _positive_seconds(value)
    if amount != int(amount):
        raise unexpected("expected whole seconds, as the kernel counts them")
    return int(amount)


WHOLE_SECONDS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": MAX_SECONDS},
        {"type": "string", "pattern": PATTERN},
    ]
}
