"""When arrivals are due, and how many there are."""

import math
from itertools import accumulate, count, islice, pairwise, takewhile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.load.pacing import due_times, poisson_marks, reached
from ipvsload.load.random_numbers import RandomNumbers
from ipvsload.scenario.stages import Stage, expected, length
from ipvsload.scenario.traffic import Traffic

rates = st.floats(0.1, 100_000)
levels = st.integers(0, 1000).map(float)
stage_lists = st.lists(st.builds(Stage, levels, levels, st.floats(0.01, 5)), max_size=5)


def due(*key: object, **spec: Any) -> list[int]:
    return list(islice(due_times(Traffic(**spec), *key), 20_000))


@pytest.mark.parametrize(
    ("rate", "duration", "budget", "arrivals"),
    [
        (1.1, 10, None, 11),  # 1.1 * 10 is 11.000000000000002 in floating point
        (100, 0.07, None, 7),
        (33, 0.1, None, 4),
        (1, 0.1, None, 1),
        (10, 10, 7, 7),
        (10, 0.5, 7, 5),
        (10, None, 7, 7),
        (1e-7, 1, None, 0),
    ],
)
def test_how_many_there_are(
    rate: float, duration: float | None, budget: int | None, arrivals: int
) -> None:
    assert len(due(rate=rate, duration=duration, requests=budget)) == arrivals


@given(rates, st.floats(0.001, 0.1))
def test_all_and_only_those_before_the_end_are_there(rate: float, duration: float) -> None:
    times = due(rate=rate, duration=duration)
    slack = 1 + 2e-6 * 1e9 / rate  # a millionth of an arrival is not one
    assert len(times) * 1e9 / rate >= duration * 1e9 - slack
    assert not times or times[-1] < duration * 1e9 + slack


@given(rates, st.integers(1, 300))
def test_times_are_the_numbers_over_the_rate(rate: float, many: int) -> None:
    times = due(rate=rate, requests=many)
    assert times == [round(number / rate * 1e9) for number in range(many)]


@given(stage_lists)
def test_in_each_stage_there_are_as_many_as_its_rate_brings(stages: list[Stage]) -> None:
    times = list(reached(count(), stages))
    assert all(one <= other for one, other in pairwise(times))
    assert not times or times[-1] <= length(stages) * 1e9
    assert abs(len(times) - expected(stages)) <= 1 + 1e-6
    for many, end in zip(
        accumulate(expected([one]) for one in stages),
        accumulate(one.over for one in stages),
        strict=True,
    ):
        assert abs(sum(time < end * 1e9 for time in times) - many) <= 1 + 1e-3


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0.01, 100), st.floats(0, 1))
def test_a_stage_is_the_inverse_of_its_integral(
    start: float, end: float, over: float, part: float
) -> None:
    stage = Stage(start, end, over)
    mark = expected([stage]) * part
    time = stage.reaches(mark)
    assert 0 <= time <= over
    level = start + (end - start) * time / over
    assert expected([Stage(start, level, time)]) == pytest.approx(mark, rel=1e-6, abs=1e-6)


def test_a_ramp_begins_slowly_and_ends_quickly() -> None:
    assert [round(one / 1e6) for one in reached(count(), [Stage(0, 8, 1)])] == [0, 500, 707, 866]
    assert [round(one / 1e6) for one in reached(count(), [Stage(8, 0, 1)])] == [0, 134, 293, 500]


def test_nothing_is_due_in_a_pause() -> None:
    stages = [Stage(2, 2, 1), Stage(0, 0, 5), Stage(2, 2, 1)]
    assert [one / 1e9 for one in reached(count(), stages)] == [0, 0.5, 6, 6.5]


def test_random_arrivals_are_those_of_their_key() -> None:
    spec = {"rate": 100, "arrivals": "poisson", "duration": 10}
    assert due("1/1", "short", 1, **spec) == due("1/1", "short", 1, **spec)
    others = [
        due(*key, **spec) for key in (("1/2", "short", 1), ("1/1", "long", 1), ("1/1", "short", 2))
    ]
    assert all(other != due("1/1", "short", 1, **spec) for other in others)
    # No plan is a part of a longer one by chance: with a budget it is, on purpose.
    assert due("1/1", "short", 1, requests=50, **spec) == due("1/1", "short", 1, **spec)[:50]


def test_random_arrivals_have_exponential_distances() -> None:
    marks = list(islice(poisson_marks(RandomNumbers("a fixed seed")), 20_000))
    gaps = sorted(b - a for a, b in pairwise([0.0, *marks]))
    # The test of Kolmogorov and Smirnov: of 1,000,000 seeds one would fail.
    distance = max(
        abs(place / len(gaps) - (1 - math.exp(-gap))) for place, gap in enumerate(gaps, 1)
    )
    assert distance * math.sqrt(len(gaps)) < 2.7


def test_random_arrivals_of_a_ramp_follow_it() -> None:
    times = list(reached(poisson_marks(RandomNumbers("seed")), [Stage(0, 2000, 10)]))
    # A Poisson count of 10,000, and one of 2,500: within five standard deviations.
    assert abs(len(times) - 10_000) < 500
    assert abs(len(list(takewhile(lambda time: time < 5e9, times))) - 2500) < 250


@given(st.sampled_from(["even", "poisson"]), st.integers(0, 300), st.integers(1, 40))
def test_parts_of_a_plan_are_the_plan(arrivals: str, many: int, workers: int) -> None:
    whole = due("key", rate=100, requests=many or None, duration=3, arrivals=arrivals)
    spec = Traffic(rate=100, requests=many or None, duration=3, arrivals=arrivals)  # type: ignore[arg-type]
    parts = [list(islice(due_times(spec, "key"), first, None, workers)) for first in range(workers)]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert sorted(one for part in parts for one in part) == whole
