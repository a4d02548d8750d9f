"""What a request is carried by: a new connection, a kept one, or one that is kept for a while.

A kept connection that never ends stays with the server that it was given to first. Real
clients, and the proxies before them, renew their connections after some requests or some
time, and each new one asks the scheduler again.
"""

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from ipvsload.scenario import duration
from ipvsload.scenario.faults import misplaced, unexpected
from ipvsload.scenario.words import hint, quoted

_WORDS = ("new", "keep-alive")
_REQUESTS = re.compile(r"([0-9]{1,9}) requests?")


class Lifetime(NamedTuple):
    """How long a connection is kept: for so many requests, or so many seconds; None: no end."""

    text: str
    requests: int | None = None
    seconds: float | None = None


ConnectionKind = Literal["new", "keep-alive"] | Lifetime


def read_connection(value: object) -> ConnectionKind:
    """What a scenario writes so. Raises a ValueError of pydantic's for people."""
    if isinstance(value, Lifetime):
        return value
    if isinstance(value, dict):
        if list(value) == ["keep-alive"]:
            return _lifetime(value["keep-alive"])
        wrong = next((key for key in value if key != "keep-alive"), None)
        if wrong is not None:
            reason = f"unknown key {quoted(wrong)}; {hint(wrong, _WORDS[1:], 'keys')}"
            raise misplaced(reason, wrong, at_key=True)
        raise unexpected("expected {keep-alive: 100 requests} or {keep-alive: 30s}")
    if value == "new":
        return "new"
    if value == "keep-alive":
        return "keep-alive"
    expected = {"expected": "'new' or 'keep-alive'"}
    raise PydanticCustomError("literal_error", "Input should be {expected}", expected)


def _lifetime(value: object) -> Lifetime:
    at = "keep-alive"
    if isinstance(value, str) and (found := _REQUESTS.fullmatch(value)):
        if not int(found[1]):
            raise misplaced("a connection carries at least 1 request", at)
        return Lifetime(value, requests=int(found[1]))
    if isinstance(value, str):
        try:
            seconds = duration.seconds(value)
        except ValueError:
            seconds = 0.0
        if seconds:
            return Lifetime(value, seconds=seconds)
    raise misplaced("expected a number of requests or a time, such as 100 requests or 30s", at)


ConnectionField = Annotated[
    ConnectionKind,
    PlainValidator(read_connection),
    PlainSerializer(lambda kind: {"keep-alive": kind.text} if isinstance(kind, Lifetime) else kind),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(_WORDS)},
                {
                    "type": "object",
                    "properties": {
                        "keep-alive": {
                            "anyOf": [
                                {"type": "string", "pattern": f"^{_REQUESTS.pattern}$"},
                                {"type": "string", "pattern": duration.PATTERN},
                            ]
                        }
                    },
                    "required": ["keep-alive"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""Read from one of the words, or from a mapping with the lifetime of a kept connection."""
