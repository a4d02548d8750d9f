"""Conditions: what a wait waits for, and what is expected of a run.

A `Condition` is parsed once, when the file is loaded, and evaluated each time
that a sample arrives; it does not know where its numbers come from.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from pydantic_core import PydanticCustomError, core_schema

from ipvsload.scenario import grammar, tree
from ipvsload.scenario.faults import unexpected
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.words import number

Extremes = dict[Measure, tuple[float, float]]
"""The least and the most that measures were for a while."""


class Verdict(NamedTuple):
    """`held` is None where a value was missing; `measured` is what was compared.

    That is the first side of the first comparison that measures something, or 1.0 or
    0.0 for a truth such as `done`; None where it is missing.
    """

    held: bool | None
    measured: float | None


@dataclass(frozen=True)
class Condition:
    """A condition as it was written, and its tree."""

    text: str
    root: tree.Truth = field(repr=False)

    def __str__(self) -> str:
        return self.text

    @cached_property
    def reads(self) -> tuple[tree.Read, ...]:
        """Every measure in the text with its column, from left to right."""
        return tuple(tree.reads(self.root))

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """The distinct measures that it depends on, from left to right."""
        return tuple(dict.fromkeys(read.measure for read in self.reads))

    @cached_property
    def _compared(self) -> tree.Value:
        """The side of the first comparison that measures, or the truth that comes before any."""
        terms = (tree.Compare, tree.Read)
        first = next(node for node in tree.walk(self.root) if isinstance(node, terms))
        if not isinstance(first, tree.Compare):
            return first
        return first.left if any(tree.reads(first.left)) else first.right

    def evaluate(self, lookup: tree.Lookup) -> Verdict:
        """Whether it holds for what `lookup` knows; never raises by itself."""
        return Verdict(tree.truth(self.root, lookup), tree.value(self._compared, lookup))

    def describe(self, lookup: tree.Lookup) -> str:
        """What was last seen: "active{server=1} = 7, servers = 1"."""
        return ", ".join(f"{measure} {_seen(measure, lookup)}" for measure in self.measures)

    def describe_compared(self, lookup: tree.Lookup) -> str:
        """What is compared first, as it is seen: "7.1 %", "12", "= yes"."""
        compared = self._compared
        if isinstance(compared, tree.Read):
            return _seen(compared.measure, lookup).removeprefix("= ")
        found = tree.value(compared, lookup)
        if found is None:
            return "not seen yet"
        return f"{found * 100:.1f} %" if self._of_percent else number(found)

    @cached_property
    def _of_percent(self) -> bool:
        return any(
            isinstance(leaf, tree.Number) and leaf.unit == "%" for leaf in tree.leaves(self.root)
        )

    def describe_extremes(self, seen: Extremes) -> str:
        """The least and the most of each number that changed: "active{server=1} was 3 to 9"."""
        return ", ".join(
            f"{measure} was {number(least)} to {number(most)}{_unit(measure)}"
            for measure, (least, most) in seen.items()
            if least != most and MEASURES[measure.name].unit != "truth"
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.validate)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, _handler: Any) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": grammar.MAX_LENGTH}

    @classmethod
    def validate(cls, value: object) -> "Condition":
        """`parse` as a validator: pydantic's error has the message and the column."""
        if isinstance(value, Condition):
            return value
        if not isinstance(value, str):
            raise unexpected("expected a condition such as 'active == 10'")
        try:
            return parse(value)
        except grammar.ExpressionError as error:
            raise as_fault(error) from None


def as_fault(error: grammar.ExpressionError) -> PydanticCustomError:
    """The error as pydantic has a validator raise it; problems.py finds the column in it."""
    context = {"reason": error.message, "column": error.column}
    return PydanticCustomError("condition", "{reason}", context)


def parse(text: str) -> Condition:
    """Read a condition. Raises ExpressionError with the column of what is wrong."""
    return Condition(text, grammar.read(text))


def _seen(measure: Measure, lookup: tree.Lookup) -> str:
    found = lookup(measure)
    if found is None:
        return "not seen yet"
    if MEASURES[measure.name].unit == "truth":
        return "= yes" if found else "= no"
    return f"= {number(found)}{_unit(measure)}"


def _unit(measure: Measure) -> str:
    unit = MEASURES[measure.name].unit
    return f" {unit}" if unit in ("ms", "s") else ""
