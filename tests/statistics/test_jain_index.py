"""Jain's index and the greatest part over the mean: their limits, and what does not change them."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.statistics.jain_index import greatest_over_mean, jain_index

parts = st.lists(st.just(0.0) | st.floats(1e-9, 1e12), min_size=1, max_size=30)


@given(parts)
def test_between_the_nth_part_and_one(found: list[float]) -> None:
    index, peak = jain_index(found), greatest_over_mean(found)
    if not any(found):
        assert index is None
        assert peak is None
        return
    assert index is not None
    assert peak is not None
    assert 1 / len(found) * (1 - 1e-9) <= index <= 1 + 1e-9
    assert 1 - 1e-9 <= peak <= len(found) * (1 + 1e-9)


@given(parts, st.randoms(), st.floats(1e-3, 1e3))
def test_neither_order_nor_unit_changes_them(found: list[float], chance: Random, by: float) -> None:
    other = [part * by for part in found]
    chance.shuffle(other)
    assert jain_index(other) == pytest.approx(jain_index(found))
    assert greatest_over_mean(other) == pytest.approx(greatest_over_mean(found))


@pytest.mark.parametrize(
    ("found", "index", "peak"),
    [([3, 3, 3], 1, 1), ([0, 0, 9], 1 / 3, 3), ([1, 3], 16 / 20, 1.5), ([5], 1, 1)],
)
def test_of_some(found: list[float], index: float, peak: float) -> None:
    assert jain_index(found) == pytest.approx(index)
    assert greatest_over_mean(found) == pytest.approx(peak)


def test_of_none_there_is_none() -> None:
    assert jain_index([]) is None
    assert greatest_over_mean([0.0, 0.0]) is None


@given(st.integers(1, 20), st.integers(0, 20))
def test_of_equal_shares_the_index_is_the_part_that_has_one(having: int, without: int) -> None:
    found = [7.5] * having + [0.0] * without
    assert jain_index(found) == pytest.approx(having / (having + without))
