"""Whether a condition can come true at all, given bounds for what it measures.

This is interval arithmetic over the condition's tree. It is sound: what it
calls impossible is false for all values within the bounds (rounding is
monotone, so the ends of an interval stay its ends). It is not complete: what it
calls possible may still be impossible, because it lets each measure vary
independently of the others.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from ipvsload.scenario import tree
from ipvsload.scenario.bounds import Interval
from ipvsload.scenario.measures.base import Measure

EVERYTHING = Interval(-math.inf, math.inf)
Box = Callable[[Measure], Interval]


class Chance(NamedTuple):
    """Whether a truth can be true, and whether it can be false."""

    true: bool
    false: bool


def chance(node: tree.Truth, box: Box) -> Chance:
    """What a condition can be anywhere within the box."""
    match node:
        case tree.Read():
            low, high = box(node.measure)
            return Chance(low < 0 or high > 0, low <= 0 <= high)
        case tree.Not():
            inner = chance(node.operand, box)
            return Chance(inner.false, inner.true)
        case tree.And():
            parts = [chance(part, box) for part in node.parts]
            return Chance(all(p.true for p in parts), any(p.false for p in parts))
        case tree.Or():
            parts = [chance(part, box) for part in node.parts]
            return Chance(any(p.true for p in parts), all(p.false for p in parts))
        case tree.Compare():
            return _compare(node, box)


def _compare(node: tree.Compare, box: Box) -> Chance:
    left, right, holds = span(node.left, box), span(node.right, box), tree.HOLDS[node.operator]
    if node.tolerance is not None:
        low, high = span(tree.Arithmetic("-", node.left, node.right), box)
        inside = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
        left, right = Interval(inside, max(abs(low), abs(high))), span(node.tolerance, box)
        holds = tree.HOLDS["<="]
    signs = {
        -1: left.low < right.high,
        0: _reaches(left, right) and _reaches(right, left),
        1: left.high > right.low,
    }
    found = {holds(sign, 0) for sign, possible in signs.items() if possible}
    return Chance(True in found, False in found)


def _reaches(left: Interval, right: Interval) -> bool:
    """Whether left can be at or below right; wider than `tree.close`, to be sound."""
    return left.low <= right.high or math.isclose(left.low, right.high, rel_tol=1e-8, abs_tol=1e-11)


def span(node: tree.Value, box: Box) -> Interval:
    """Every number that a value can be within the box."""
    match node:
        case tree.Number():
            return Interval(node.value, node.value)
        case tree.Read():
            return box(node.measure)
        case tree.Negative():
            low, high = span(node.operand, box)
            return Interval(-high, -low)
        case tree.Arithmetic():
            left, right = span(node.left, box), span(node.right, box)
            if node.operator == "/" and right.low <= 0 <= right.high:
                return EVERYTHING
            corners = [_corner(node.operator, a, b) for a in left for b in right]
            return (
                EVERYTHING
                if any(map(math.isnan, corners))
                else Interval(min(corners), max(corners))
            )


def _corner(operator: tree.ArithmeticOperator, a: float, b: float) -> float:
    # An end at infinity stands for finite numbers, whose product with 0 is 0.
    return 0.0 if operator == "*" and 0 in (a, b) else tree.ARITHMETIC[operator](a, b)
