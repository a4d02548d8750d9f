"""A condition's syntax tree and its value, given what was measured.

There are three truth values: a measure that has not been seen yet makes a
comparison neither true nor false (None). Nothing here raises; a division by
zero is a missing value.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import Measure

Lookup = Callable[[Measure], float | None]
Operator = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Number:
    """A literal; the builder leaves only units that are worked into the value."""

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

    operator: Literal["+", "-", "*", "/"]
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


def leaves(node: Node) -> Iterator[Number | Read]:
    """The numbers and measures below a node, from left to right."""
    if isinstance(node, Number | Read):
        yield node
    for child in children(node):
        yield from leaves(child)


def reads(node: Node) -> Iterator[Read]:
    """The measures below a node, from left to right."""
    return (leaf for leaf in leaves(node) if isinstance(leaf, Read))


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
            result = None if left is None or right is None else _apply(node.operator, left, right)
    return result if result is not None and math.isfinite(result) else None


def _apply(operator: str, left: float, right: float) -> float | None:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            return left / right if right else None


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
    if node.tolerance is not None:
        tolerance = value(node.tolerance, lookup)
        if tolerance is None:
            return None
        distance = abs(left - right)
        return distance <= tolerance or close(distance, tolerance)
    same = close(left, right)
    match node.operator:
        case "==":
            return same
        case "!=":
            return not same
        case "<":
            return left < right and not same
        case "<=":
            return left < right or same
        case ">":
            return left > right and not same
        case ">=":
            return left > right or same
