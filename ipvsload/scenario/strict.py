"""The base of every type of the scenario file, and the small types that several share."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ipvsload.scenario.faults import unexpected
from ipvsload.scenario.names import MAX_SERVERS, MAX_WEIGHT, NAME_PATTERN

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
ServerCount = Annotated[int, Field(ge=1, le=MAX_SERVERS)]
ServerNumber = Annotated[int, Field(ge=1, le=MAX_SERVERS)]
Weight = Annotated[int, Field(ge=0, le=MAX_WEIGHT)]


def _one_or_many(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple):
        raise unexpected("expected the name of a class, or a list of names")
    return value


# strict=False is for the sequence alone: YAML has lists, a frozen model tuples.
Names = Annotated[
    tuple[Name, ...],
    Field(min_length=1, strict=False),
    BeforeValidator(
        _one_or_many,
        json_schema_input_type=Name | Annotated[tuple[Name, ...], Field(min_length=1)],
    ),
]


class Strict(BaseModel):
    """Unknown keys and silent conversions are errors; a model never changes.

    A model whose keys have a meaning in the JSON Schema is given
    use_attribute_docstrings=True; pydantic takes some ms to find them in its source.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
