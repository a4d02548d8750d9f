"""The language of comparisons: a measure alone, and what is expected of two columns by one.

Its measures are those of conditions, so it stands on their grammar. It is no part of them:
a comparison is decided over all runs of an experiment, by a test, and has no number that could be
reckoned with.
"""

from functools import cache
from typing import Any, Literal, NamedTuple, cast

from lark import Lark, Token, v_args

from ipvsload.scenario import tree
from ipvsload.scenario.grammar import (
    GRAMMAR,
    ExpressionError,
    TreeBuilder,
    column_of,
    parsed,
    read_label,
)
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.words import hint, quoted

ComparisonVerdict = Literal["less", "greater", "equivalent"]
VERDICTS: tuple[ComparisonVerdict, ...] = ("less", "greater", "equivalent")
_COMPARISON = r"""
comparison_of_two: NAME "{" measured "," label "," label "}"
label: VALUE | TEXT
"""


class ReadLabel(NamedTuple):
    """A label, and its 1-based column in the text."""

    label: str
    column: int


class ReadComparison(NamedTuple):
    """`verdict{read, first, second}`."""

    verdict: ComparisonVerdict
    read: tree.Read
    first: ReadLabel
    second: ReadLabel


@v_args(inline=True)
class _Builder(TreeBuilder):
    def label(self, text: Token) -> ReadLabel:
        return ReadLabel(read_label(text), column_of(text))

    def comparison_of_two(
        self, name: Token, measured: tree.Node, first: ReadLabel, second: ReadLabel
    ) -> ReadComparison:
        if name not in VERDICTS:
            problem = f"unknown comparison {quoted(name)}; {hint(name, VERDICTS, 'comparisons')}"
            raise ExpressionError(problem, column_of(name))
        read = cast("tree.Read", measured)
        if read.measure.scheduler is not None:
            problem = f"'scheduler' has no place in {name}: its schedulers stand after the measure"
            raise ExpressionError(problem, read.column)
        if first.label == second.label:
            raise ExpressionError(f"'{first.label}' is compared with itself", second.column)
        return ReadComparison(cast("Any", str(name)), read, first, second)


@cache
def _parser(start: str) -> Lark:
    return Lark(
        GRAMMAR + _COMPARISON,
        parser="lalr",
        start=start,
        transformer=_Builder(),
        maybe_placeholders=False,
    )


def read_comparison(text: str) -> ReadComparison:
    """A comparison, as `less{latency_p95{class=short}, lc, rr}`. Raises ExpressionError."""
    such_as = "a comparison such as 'less{latency_p95, lc, rr}'"
    found: ReadComparison = parsed(_parser("comparison_of_two"), text, such_as)
    return found


def read_measure(text: str) -> tree.Read:
    """A measure alone, as `latency_p95{class=short}`. Raises ExpressionError."""
    found: tree.Read = parsed(_parser("measured"), text, "a measure such as 'latency_p95'")
    measure = found.measure
    if MEASURES[measure.name].unit == "truth":
        raise ExpressionError(f"'{measure.name}' is true or false, and no number", found.column)
    if measure.scheduler is not None:
        problem = "'scheduler' has no place here: each scheduler is measured"
        raise ExpressionError(problem, found.column)
    return found
