"""Turns pydantic's errors into messages for people who write YAML.

pydantic writes of types and validators; an author wants to read what was found,
what was expected, and which word was probably meant.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from ipvsload.scenario.actions import SCENARIO_ACTIONS
from ipvsload.scenario.balancers import BALANCERS
from ipvsload.scenario.capacity import Capacity
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.model import Scenario, Step
from ipvsload.scenario.names import MAX_LABEL
from ipvsload.scenario.service import Service
from ipvsload.scenario.traffic import Traffic
from ipvsload.scenario.variant import Timeouts, Variant
from ipvsload.scenario.words import hint, listed, nearest, quoted


def found(value: object) -> str:
    """A value as its writer sees it: "the text 'abc'", "a list", "12"."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            text = f"{value}"
            return text if len(text) <= 20 and text != "inf" else "a huge number"
        case str():
            return f"the text {quoted(value)}"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a mapping"
        case _:
            return "nothing"


def faults_of(errors: Iterable[ErrorDetails]) -> list[Fault]:
    """Say pydantic's errors in words, without those that only follow from another.

    A misspelt key is not reported as missing as well, and a list whose items are
    wrong is not reported as empty.
    """
    errors = [
        e
        for e in errors
        if not (e["type"] == "too_short" and e["input"])
        and e["type"] != "default_factory_not_called"
    ]
    meant = set()
    for error in errors:
        if error["type"] == "extra_forbidden":
            *at, word = error["loc"]
            meant.add((*at, nearest(str(word), _keys_of(_model_at(tuple(at))))))
    return [_fault(e) for e in errors if not (e["type"] == "missing" and e["loc"] in meant)]


def _fault(error: ErrorDetails) -> Fault:
    """One of pydantic's errors in words."""
    loc: Loc = error["loc"]
    context: dict[str, Any] = error.get("ctx", {})
    kind, value = error["type"], error["input"]
    if loc and loc[-1] == "[key]":
        return Fault(loc[:-1], _bad_key(loc[:-1], str(value)), at_key=True)
    match kind:
        case "extra_forbidden":
            known = _keys_of(_model_at(loc[:-1]))
            word = str(loc[-1])
            text = f"unknown key {quoted(word)}; {hint(word, known, 'keys')}"
            return Fault(loc, text, at_key=True)
        case "missing":
            return Fault(loc[:-1], f"the key '{loc[-1]}' is missing", at_key=True)
        case "model":
            return Fault((*loc, *context["path"]), context["reason"], at_key=True)
        case "condition":
            return Fault(loc, context["reason"], column=context["column"])
        case "unexpected":
            return Fault(loc, f"{_named(loc)}{context['reason']}, found {found(value)}")
        case "misplaced":
            return Fault((*loc, *context["at"]), context["reason"], context["at_key"])
        case "too_short":
            return Fault(loc, f"'{loc[-1]}' is empty; give at least one", at_key=True)
        case "literal_error":
            return Fault(loc, _bad_word(loc, value, context))
        case "string_pattern_mismatch":
            expected = {"request": _REQUEST, "label": _LABEL}.get(str(loc[-1]), _NAME)
            return Fault(loc, f"{_named(loc)}{expected}, found {quoted(str(value))}")
    expected = _EXPECTED.get(kind, "not understood").format(**context)
    text = f"{_named(loc)}{expected}, found {found(value)}"
    if kind in ("int_type", "float_type") and isinstance(value, str) and value.isdecimal():
        text += "; take the quotes away"
    if kind == "model_type" and (known := _keys_of(_model_at(loc))):
        text += f"; its keys are {listed(known, 'and')}"
    return Fault(loc, text)


def _named(loc: Loc) -> str:
    name = next((part for part in reversed(loc) if isinstance(part, str)), None)
    return f"'{name}': " if name else ""


_MODELS: Mapping[str | int, type[BaseModel]] = {
    "service": Service,
    "traffic": Traffic,
    "timeline": Step,
}


def _model_at(loc: Loc) -> type[BaseModel]:
    """The model whose keys stand at this place: of the file, a part, or a step's action."""
    if loc[:2] == ("service", "capacity"):
        return Capacity
    if loc and loc[0] == "schedulers":
        return Timeouts if "timeouts" in loc else Variant
    if len(loc) > 2:
        return SCENARIO_ACTIONS[str(loc[2])]
    return _MODELS[loc[0]] if loc else Scenario


def _keys_of(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _bad_key(loc: Loc, word: str) -> str:
    if loc[0] == "expect":
        return f"{quoted(word)} cannot be the label of a scheduler; {_LABEL}"
    return f"{quoted(word)} cannot be the name of a class; {_NAME}"


_NAME = "a name has lower-case letters, digits, - and _, and at most 32 of them"
_LABEL = f"a label has letters, digits, - and _, and at most {MAX_LABEL} of them"
_REQUEST = "expected GET, one space and a path, such as 'GET /ip'"


def _bad_word(loc: Loc, value: object, context: Mapping[str, Any]) -> str:
    if loc[0] == "schedulers":
        word = value if isinstance(value, str) else f"{value}"
        return f"unknown scheduler {quoted(word)}; {hint(word, BALANCERS, 'schedulers')}"
    known = re.findall("'([^']+)'", context["expected"])
    word = value if isinstance(value, str) else ""
    return f"{_named(loc)}expected {listed(known, 'or')}, found {found(value)}" + (
        f"; {hint(word, known, 'words')}" if word else ""
    )


_EXPECTED = {
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "string_type": "expected text",
    "tuple_type": "expected a list",
    "dict_type": "expected a mapping",
    "model_type": "expected a mapping",
    "model_attributes_type": "expected a mapping",
    "finite_number": "expected a finite number",
    "greater_than": "must be more than {gt:.12g}",
    "greater_than_equal": "must be at least {ge:.12g}",
    "less_than_equal": "must be at most {le:.12g}",
    "string_too_long": "at most {max_length} characters",
    "too_long": "at most {max_length} of them",
}
"""What was expected, by the type of pydantic's error, with the limits of its context."""
