"""Numbers that depend on their key and place, and on nothing else."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.load.random_numbers import RandomNumbers

places = st.integers(0, 10**12)


@given(st.lists(places, min_size=1))
def test_a_number_is_the_same_whichever_were_drawn_before(asked: list[int]) -> None:
    numbers = RandomNumbers("key", 1)
    assert [numbers.at(place) for place in asked] == [
        RandomNumbers("key", 1).at(place) for place in asked
    ]


@given(places)
def test_a_number_is_never_0_or_1(place: int) -> None:
    assert 0 < RandomNumbers("key").at(place) < 1


def test_they_stay_as_they_are() -> None:
    """A record's arrivals and work can be made again by every later version."""
    numbers = RandomNumbers("1/1", "short", 1, "work")
    drawn = [round(numbers.at(place), 9) for place in (0, 1, 255, 256, 10**9)]
    assert drawn == [0.888001288, 0.539585934, 0.057646121, 0.85930673, 0.847292544]


def test_they_are_uniform_and_do_not_depend_on_each_other() -> None:
    numbers = RandomNumbers("a fixed seed")
    many = 50_000
    drawn = [numbers.at(place) for place in range(many)]
    # Five standard deviations of a mean: one seed in 1.7 million would fail.
    assert abs(sum(drawn) / many - 0.5) < 5 * math.sqrt(1 / 12 / many)
    apart = sum((a - 0.5) * (b - 0.5) for a, b in pairwise(drawn)) / many
    assert abs(apart) < 5 / 12 / math.sqrt(many)
    others = RandomNumbers("another seed")
    both = sum((a - 0.5) * (others.at(place) - 0.5) for place, a in enumerate(drawn)) / many
    assert abs(both) < 5 / 12 / math.sqrt(many)
