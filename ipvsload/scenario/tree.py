"""A condition's syntax tree and its value, given what was measured.

There are three truth values: a measure that has not been seen yet makes a
comparison neither true nor false (None). Nothing here raises; a division by
zero is a missing value.
"""

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import Measure

Lookup = Callable[[Measure], float | None]
Operator = Literal["==", "!=", "<", "<=", ">", ">="]
HOLDS: Mapping[Operator, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ArithmeticOperator = Literal["+", "-", "*", "/"]
ARITHMETIC: Mapping[ArithmeticOperator, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


@dataclass(frozen=True, slots=True)
class Number:
    """A literal. A comparison's times are in one unit, that of what it measures."""

    value: float
    unit: Literal["", "ms", "s", "%"] = ""
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Read:
    """A measure that stands in the text at this 1-based column."""

    measure: Measure
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Negative:
    """`-operand`."""

    operand: "Value"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left operator right`, a number."""

    operator: ArithmeticOperator
    left: "Value"
    right: "Value"


@dataclass(frozen=True, slots=True)
class Compare:
    """`tolerance` belongs to == only: |left - right| <= tolerance."""

    operator: Operator
    left: "Value"
    right: "Value"
    tolerance: "Value | None" = None


@dataclass(frozen=True, slots=True)
class Not:
    """`not operand`."""

    operand: "Truth"


@dataclass(frozen=True, slots=True)
class And:
    """True when all parts are."""

    parts: tuple["Truth", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True when one part is."""

    parts: tuple["Truth", ...]


Value = Number | Read | Negative | Arithmetic
Truth = Compare | Read | Not | And | Or
Node = Value | Truth


def is_truth(node: Node) -> bool:
    """Whether the node is true or false, rather than a number."""
    if isinstance(node, Read):
        return MEASURES[node.measure.name].unit == "truth"
    return isinstance(node, Compare | Not | And | Or)


def children(node: Node) -> tuple[Node, ...]:
    """A node's operands, from left to right."""
    match node:
        case Number() | Read():
            return ()
        case Negative() | Not():
            return (node.operand,)
        case Arithmetic():
            return (node.left, node.right)
        case Compare():
            between = (node.left, node.right)
            return between if node.tolerance is None else (*between, node.tolerance)
        case And() | Or():
            return node.parts


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, from left to right; each before its own operands."""
    yield node
    for child in children(node):
        yield from walk(child)


def leaves(node: Node) -> Iterator[Number | Read]:
    """The numbers and measures below a node, from left to right."""
    return (leaf for leaf in walk(node) if isinstance(leaf, Number | Read))


def reads(node: Node) -> Iterator[Read]:
    """The measures below a node, from left to right."""
    return (leaf for leaf in walk(node) if isinstance(leaf, Read))


def close(a: float, b: float) -> bool:
    """Equal but for rounding: 0.75 is 0.7 +- 0.05, whatever binary says."""
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def value(node: Value, lookup: Lookup) -> float | None:
    """The number that a node stands for, or None where something is missing."""
    match node:
        case Number():
            return node.value
        case Read():
            found = lookup(node.measure)
            result = None if found is None else float(found)
        case Negative():
            operand = value(node.operand, lookup)
            result = None if operand is None else -operand
        case Arithmetic():
            left, right = value(node.left, lookup), value(node.right, lookup)
            if left is None or right is None or (node.operator == "/" and right == 0):
                return None
            result = ARITHMETIC[node.operator](left, right)
    return result if result is not None and math.isfinite(result) else None


def truth(node: Truth, lookup: Lookup) -> bool | None:
    """Whether a node holds, or None where what is missing could decide it."""
    match node:
        case Read():
            found = lookup(node.measure)
            return None if found is None else bool(found)
        case Not():
            operand = truth(node.operand, lookup)
            return None if operand is None else not operand
        case And():
            results = [truth(part, lookup) for part in node.parts]
            return False if False in results else None if None in results else True
        case Or():
            results = [truth(part, lookup) for part in node.parts]
            return True if True in results else None if None in results else False
        case Compare():
            return _compare(node, lookup)


def _compare(node: Compare, lookup: Lookup) -> bool | None:
    left, right = value(node.left, lookup), value(node.right, lookup)
    if left is None or right is None:
        return None
    holds = HOLDS[node.operator]
    if node.tolerance is not None:
        tolerance = value(node.tolerance, lookup)
        if tolerance is None:
            return None
        left, right, holds = abs(left - right), tolerance, operator.le
    return holds(0 if close(left, right) else left - right, 0)
