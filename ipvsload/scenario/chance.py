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
    left, right = span(node.left, box), span(node.right, box)
    if node.tolerance is not None:
        low, high = _subtract(left, right)
        inside = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
        distance = Interval(inside, max(abs(low), abs(high)))
        tolerance = span(node.tolerance, box)
        return Chance(_reaches(distance, tolerance), distance.high > tolerance.low)
    same = _reaches(left, right) and _reaches(right, left)
    less, more = left.low < right.high, left.high > right.low
    match node.operator:
        case "==":
            return Chance(same, less or more)
        case "!=":
            return Chance(less or more, same)
        case "<":
            return Chance(less, more or same)
        case "<=":
            return Chance(less or same, more)
        case ">":
            return Chance(more, less or same)
        case ">=":
            return Chance(more or same, less)


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
            match node.operator:
                case "+":
                    return _hull([left.low + right.low], [left.high + right.high])
                case "-":
                    return _subtract(left, right)
                case "*":
                    corners = [_times(a, b) for a in left for b in right]
                    return _hull(corners, corners)
                case "/":
                    if right.low <= 0 <= right.high:
                        return EVERYTHING
                    corners = [a / b for a in left for b in right]
                    return _hull(corners, corners)


def _subtract(left: Interval, right: Interval) -> Interval:
    return _hull([left.low - right.high], [left.high - right.low])


def _times(a: float, b: float) -> float:
    # An end at infinity stands for finite numbers, whose product with 0 is 0.
    return 0.0 if a == 0 or b == 0 else a * b


def _hull(lows: list[float], highs: list[float]) -> Interval:
    ends = lows + highs
    return EVERYTHING if any(map(math.isnan, ends)) else Interval(min(lows), max(highs))
