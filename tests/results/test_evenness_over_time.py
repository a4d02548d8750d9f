"""Evenness as a mean over time: a sample holds until the next, by weight, while any is active."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.record.format import OccupancySample, ServerOccupancy
from ipvsload.results.evenness_over_time import (
    EvennessFigures,
    of_active_connections,
    of_utilisation,
)
from ipvsload.results.weight_course import WeightCourse
from tests.results.tables import A, B, C, readings, steady

ALL = (0, 10_000_000)
EVEN, ONE_HAS_ALL = {A: (1, 3), B: (1, 3)}, {A: (1, 4), B: (1, 0)}


def test_each_sample_counts_for_the_time_to_the_next() -> None:
    course = readings((0, EVEN), (100_000, ONE_HAS_ALL), (400_000, EVEN))
    found = of_active_connections(course, ALL, None)
    assert found is not None
    assert found.jain == pytest.approx((1 * 1 + 3 * 0.5) / 4)
    assert found.peak == pytest.approx((1 * 1 + 3 * 2) / 4)
    assert found.seconds == pytest.approx(0.4)


def test_only_what_is_within_the_span_counts_and_no_hole() -> None:
    course = readings((0, EVEN), (100_000, ONE_HAS_ALL), (200_000, EVEN), (9_000_000, EVEN))
    found = of_active_connections(course, (150_000, 9_000_000), 100_000)
    assert found is not None
    assert found.seconds == pytest.approx(0.05 + 0.18)  # the hole counts as 1.8 periods
    assert found.jain == pytest.approx((0.05 * 0.5 + 0.18) / 0.23)


def test_twice_the_weight_is_to_have_twice_as_many() -> None:
    found = of_active_connections(steady({A: (2, 6), B: (1, 3)}, [0, 100_000]), ALL, None)
    assert found is not None
    assert found.jain == pytest.approx(1)
    assert found.peak == pytest.approx(1)


@pytest.mark.parametrize(
    "table",
    [
        {A: (1, 0), B: (1, 0)},  # nothing is active
        {A: (1, 7)},  # there is nobody else
        {A: (1, 7), B: (0, 3)},  # nobody else has weight
        {},
    ],
)
def test_what_says_nothing(table: dict[str, tuple[int, int]]) -> None:
    assert of_active_connections(steady(table, [0, 100_000, 200_000]), ALL, None) is None


active = st.tuples(*[st.integers(0, 50)] * 3)


@given(st.lists(active, min_size=2, max_size=8), st.permutations([A, B, C]))
def test_servers_have_no_order_and_limits_hold(
    course: list[tuple[int, int, int]], other: list[str]
) -> None:
    def mean(names: list[str]) -> EvennessFigures | None:
        tables = (
            {name: (1, n) for name, n in zip(names, counts, strict=True)} for counts in course
        )
        moments = ((t * 100_000, table) for t, table in enumerate(tables))
        return of_active_connections(readings(*moments), ALL, None)

    found, again = mean([A, B, C]), mean(other)
    assert (found is None) == (not any(map(any, course[:-1])))
    if found is None or again is None:
        assert found is again
        return
    assert again.jain == pytest.approx(found.jain)
    assert 1 / 3 - 1e-9 <= found.jain <= 1 + 1e-9
    assert 1 - 1e-9 <= found.peak <= 3 + 1e-9


def told(t_us: int, **busy_us: int) -> OccupancySample:
    addresses = {"a": A, "b": B, "c": C}
    servers = (ServerOccupancy(addresses[k], 0, 0, 0, 0, us) for k, us in busy_us.items())
    return OccupancySample(1, t_us, tuple(servers))


def test_utilisation_is_of_the_growth_of_busy_time() -> None:
    said = [told(0, a=500, b=900), told(100_000, a=600, b=1000), told(200_000, a=800, b=1000)]
    found = of_utilisation(said, WeightCourse([]), ALL)
    assert found is not None
    assert found.jain == pytest.approx((1 + 0.5) / 2)
    assert found.peak == pytest.approx((1 + 2) / 2)


def test_a_server_without_weight_is_to_do_nothing() -> None:
    course = WeightCourse(readings((0, {A: (1, 0), B: (1, 0), C: (0, 0)})))
    said = [told(0, a=0, b=0, c=0), told(100_000, a=70, b=70, c=0)]
    found = of_utilisation(said, course, ALL)
    assert found is not None
    assert found.jain == pytest.approx(1)
