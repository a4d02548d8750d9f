"""By which measures columns are compared, and which difference would matter.

`measures` and `margin` of a scenario.
"""

import re
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from ipvsload.scenario.comparison_grammar import read_measure
from ipvsload.scenario.expression import as_fault
from ipvsload.scenario.faults import unexpected
from ipvsload.scenario.grammar import MAX_LENGTH, ExpressionError
from ipvsload.scenario.measures.base import Measure

MOST_MEASURES = 20
"""Each costs all of them some of their power: Holm's correction runs over all."""
DEFAULT_MARGIN = 0.05
_PERCENTAGE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?%")


def part_of_percentage(text: str) -> float | None:
    """0.05 of "5%" or "5 %"; None where it is no percentage above 0 and below 100."""
    found = _PERCENTAGE.fullmatch(text)
    part = float(found[1]) / 100 if found else 0.0
    return part if 0 < part < 1 else None


def _percentage(value: object) -> float:
    part = part_of_percentage(value) if isinstance(value, str) else None
    if part is None:
        raise unexpected("expected a percentage such as 5%, above 0 and below 100")
    return part


def _measure(value: object) -> Measure:
    if not isinstance(value, str):
        raise unexpected("expected a measure such as 'latency_p95{class=short}'")
    try:
        return read_measure(value).measure
    except ExpressionError as error:
        raise as_fault(error) from None


Margin = Annotated[
    float,
    PlainValidator(_percentage),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,2}(\.[0-9]{1,6})? ?%$"}),
]
"""A part, above 0 and below 1, from a percentage."""
MeasureUnderTest = Annotated[
    Measure,
    PlainValidator(_measure),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}),
]
"""A measure alone, without a scheduler."""
