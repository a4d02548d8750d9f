import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.statistics.median_range import MedianRange, median_range
from ipvsload.statistics.percentiles import percentile


@given(st.lists(st.integers(0, 10**9), min_size=1), st.integers(1, 1000))
def test_a_percentile_is_the_least_value_that_enough_do_not_exceed(
    values: list[int], tenths: int
) -> None:
    p = tenths / 10
    found = percentile(sorted(values), p)
    enough = [v for v in values if sum(w <= v for w in values) * 1000 >= tenths * len(values)]
    assert found == min(enough)


def test_percentiles_of_few_values() -> None:
    assert [percentile([1, 2, 3, 4], p) for p in (25, 50, 50.1, 99, 100)] == [1, 2, 3, 4, 4]
    assert percentile(range(1, 101), 7) == 7
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_spread() -> None:
    assert median_range([3, None, 1, 2]) == MedianRange(2, 1, 3)
    assert median_range([1, 2]) == MedianRange(1.5, 1, 2)
    assert median_range([None]) is None
