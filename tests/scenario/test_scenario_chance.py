"""Soundness of refusing: what is called impossible is false at every point."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ipvsload.scenario import tree
from ipvsload.scenario.bounds import Interval
from ipvsload.scenario.chance import chance
from ipvsload.scenario.expression import parse
from ipvsload.scenario.measures.base import Measure

from .test_scenario_expression import truths

# Adding 0.0 turns -0.0, which would make an interval look reversed, into 0.0.
ends = (st.integers(-20, 20) | st.floats(-1e3, 1e3) | st.sampled_from([0.1, 0.3, 1e-12, 1e15])).map(
    lambda end: end + 0.0
)


@given(truths, st.data())
def test_what_cannot_be_is_not_and_what_must_be_is(node: tree.Truth, data: st.DataObject) -> None:
    box: dict[Measure, Interval] = {}
    point: dict[Measure, float] = {}
    for leaf in tree.leaves(node):
        if isinstance(leaf, tree.Read) and leaf.measure not in box:
            low, high = sorted([data.draw(ends), data.draw(ends)])
            box[leaf.measure] = Interval(low, high)
            point[leaf.measure] = data.draw(st.floats(low, high) | st.sampled_from([low, high]))
    possible = chance(node, box.__getitem__)
    held = tree.truth(node, point.__getitem__)
    assume(held is not None)
    assert possible.true if held else possible.false


@pytest.mark.parametrize(
    ("text", "low", "high", "can_be_true", "can_be_false"),
    [
        ("active == 11", 0, 10, False, True),
        ("active == 10", 0, 10, True, True),
        ("active == 10", 10, 10, True, False),
        ("active < 0", 0, 10, False, True),
        ("active <= 0", 0, 10, True, True),
        ("active >= 0", 0, 10, True, False),
        ("active > 10", 0, 10, False, True),
        ("active != 3", 3, 3, False, True),
        ("active == 12 +- 1", 0, 10, False, True),
        ("active == 12 +- 2", 0, 10, True, True),
        ("active == 5 +- 5", 0, 10, True, False),
        ("2 * active - 1 > 19", 0, 10, False, True),
        ("-active > 0", 0, 10, False, True),
        ("1 / active > 5", 0, 10, True, True),
        ("1 / active > 5", 1, 10, False, True),
        ("0 * active == 0", 0, math.inf, True, False),
        ("active - active == 0", 0, math.inf, True, True),
        ("not active == 3", 3, 3, False, True),
        ("active > 10 or active < 0", 0, 10, False, True),
        ("active > 4 and active < 3", 0, 10, True, True),
    ],
)
def test_bounds(text: str, low: float, high: float, can_be_true: bool, can_be_false: bool) -> None:
    found = chance(parse(text).root, lambda _: Interval(low, high))
    assert found == (can_be_true, can_be_false)
