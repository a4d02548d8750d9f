"""What the fields of an event's type say of its line: keys, types, and what must be there."""

from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

_KEYS = {"traffic": "class"}
"""Fields whose key in the file is no name that Python allows."""


class EventKey(NamedTuple):
    """A field, its key in the line, its type, and whether it must be there."""

    name: str
    key: str
    hint: Any
    required: bool


_KNOWN: dict[type[Any], list[EventKey]] = {}


def event_keys(event_type: type[Any]) -> list[EventKey]:
    """One for each key of the event's data, in the order in which they are written."""
    if event_type in _KNOWN:
        return _KNOWN[event_type]
    hints = get_type_hints(event_type)
    found = _KNOWN[event_type] = [
        EventKey(
            one.name,
            _KEYS.get(one.name, one.name),
            hints[one.name],
            one.default is MISSING and one.default_factory is MISSING,
        )
        for one in fields(event_type)
        if one.name not in ("run", "t_us")
    ]
    return found


def fits(value: Any, hint: Any) -> bool:
    """Whether a decoded JSON value is of this type; a bool is no number here."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in arguments)
    if origin is list:
        return type(value) is list and all(fits(one, arguments[0]) for one in value)
    if origin is dict:
        return type(value) is dict and all(fits(one, arguments[1]) for one in value.values())
    if hint is float:
        return type(value) in (int, float)
    return hint is Any or type(value) is hint
