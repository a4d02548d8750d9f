"""How the arrivals of an open workload come: evenly, at random, or as a file has them."""

from typing import Annotated, Literal

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from ipvsload.scenario.file_reference import (
    FILE_SCHEMA,
    TraceFile,
    file_reference,
    looked_at,
    written_reference,
)

Arrivals = Literal["even", "poisson"] | TraceFile


def _read(value: object, info: ValidationInfo) -> Arrivals:
    if isinstance(value, TraceFile):
        return value
    if value == "even":
        return "even"
    if value == "poisson":
        return "poisson"
    reference = file_reference(value)
    if reference is None:
        expected = {"expected": "'even', 'poisson' or 'file: NAME'"}
        raise PydanticCustomError("literal_error", "Input should be {expected}", expected)
    return looked_at(reference, info, lambda files: files.trace, TraceFile(reference.name))


ArrivalsField = Annotated[
    Arrivals,
    PlainValidator(_read),
    PlainSerializer(
        lambda arrivals: (
            written_reference(arrivals) if isinstance(arrivals, TraceFile) else arrivals
        )
    ),
    WithJsonSchema({"anyOf": [{"enum": ["even", "poisson"]}, *FILE_SCHEMA]}),
]
"""Read from a word, or from the name of a file."""
