"""When arrivals are due, and how many there are."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.load.pacing import ConstantRate, EveryNth, constant_rate

rates = st.floats(0.1, 100_000)


@pytest.mark.parametrize(
    ("rate", "duration", "budget", "count"),
    [
        (1.1, 10, None, 11),  # 1.1 * 10 is 11.000000000000002 in floating point
        (100, 0.07, None, 7),
        (33, 0.1, None, 4),
        (1, 0.1, None, 1),
        (10, 10, 7, 7),
        (10, 0.5, 7, 5),
        (10, None, 7, 7),
        (10, None, None, None),
    ],
)
def test_how_many_there_are(
    rate: float, duration: float | None, budget: int | None, count: int | None
) -> None:
    assert constant_rate(rate, duration, budget).count == count


@given(rates, st.floats(0.001, 100))
def test_all_and_only_those_before_the_end_are_counted(rate: float, duration: float) -> None:
    pacer = constant_rate(rate, duration, None)
    assert pacer.count is not None
    end_ns = duration * 1e9
    slack = 1 + 2e-6 * 1e9 / rate  # a millionth of an arrival is not one
    assert pacer.due_ns(pacer.count) >= end_ns - slack
    if pacer.count:
        assert pacer.due_ns(pacer.count - 1) < end_ns + slack


@given(rates, st.lists(st.integers(0, 10**9), min_size=2).map(sorted))
def test_times_are_the_numbers_over_the_rate(rate: float, numbers: list[int]) -> None:
    pacer = ConstantRate(rate)
    assert pacer.due_ns(0) == 0
    due = [pacer.due_ns(number) for number in numbers]
    assert all(earlier <= later for earlier, later in pairwise(due))
    assert [one / 1e9 for one in due] == pytest.approx([n / rate for n in numbers], abs=2e-9)


@given(rates, st.integers(0, 500) | st.none(), st.integers(1, 40))
def test_parts_of_a_plan_are_the_plan(rate: float, count: int | None, workers: int) -> None:
    whole = ConstantRate(rate, count)
    parts = [EveryNth(whole, first, workers) for first in range(workers)]
    if count is None:
        assert all(part.count is None for part in parts)
        return
    counts = [part.count or 0 for part in parts]
    assert sum(counts) == count
    assert max(counts) - min(counts) <= 1
    together = sorted(
        part.due_ns(n) for part, many in zip(parts, counts, strict=True) for n in range(many)
    )
    assert together == [whole.due_ns(n) for n in range(count)]
