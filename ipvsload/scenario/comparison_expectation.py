"""What is expected of two columns over all repeats: `less{latency_p95{class=short}, lc, rr}`.

It holds where the comparison's verdict says so. The medians that other expectations under
`compare` set side by side may differ by chance; a verdict says that they do not.
"""

import re
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from ipvsload.scenario.comparison_grammar import (
    VERDICTS,
    ComparisonVerdict,
    ReadComparison,
    read_comparison,
)
from ipvsload.scenario.expression import Condition, as_fault
from ipvsload.scenario.grammar import MAX_LENGTH, ExpressionError
from ipvsload.scenario.measures.base import Measure

_COMPARISON = re.compile(rf"\s*(({'|'.join(VERDICTS)})\b|\w+\s*\{{\s*\w+\s*[{{,])")
"""How one begins: in no condition does a measure or a comma stand there."""


@dataclass(frozen=True)
class ComparisonExpectation:
    """A comparison as it was written, and what it says: `first` is less than `second`."""

    text: str
    read: ReadComparison = field(repr=False)

    def __str__(self) -> str:
        return self.text

    @property
    def verdict(self) -> ComparisonVerdict:
        """What is expected."""
        return self.read.verdict

    @property
    def measure(self) -> Measure:
        """By which both are measured."""
        return self.read.read.measure

    @property
    def labels(self) -> tuple[str, str]:
        """The labels of both columns, as they were written."""
        return self.read.first.label, self.read.second.label


def _validate(value: object) -> Condition | ComparisonExpectation:
    if not isinstance(value, str) or not _COMPARISON.match(value):
        return Condition.validate(value)
    try:
        return ComparisonExpectation(value, read_comparison(value))
    except ExpressionError as error:
        raise as_fault(error) from None


Expectation = Annotated[
    Condition | ComparisonExpectation,
    PlainValidator(_validate),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}),
]
"""A line under `expect`."""
