"""The first least of many keys, kept up through changes, is the one that a plain search finds."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs_model.schedulers.first_least import FirstLeast

keys = st.lists(st.one_of(st.none(), st.integers(0, 3), st.integers(0, 2**70)), max_size=12)
puts = st.lists(
    st.tuples(st.integers(0, 11), st.one_of(st.integers(0, 3), st.integers(0, 2**70))), max_size=200
)


def plain(now: list[int | None]) -> int | None:
    """The definition."""
    with_key = [place for place, key in enumerate(now) if key is not None]
    return min(with_key, key=lambda place: now[place] or 0, default=None)


@given(keys, puts)
def test_of_few(now: list[int | None], changes: list[tuple[int, int]]) -> None:
    found = FirstLeast(now)
    assert found.first() == plain(now)
    for place, key in changes:
        if place < len(now) and now[place] is not None:
            found.put(place, key)
            now[place] = key
            assert found.first() == plain(now)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most", [3, 1000])
def test_of_many_it_is_found_in_front(seed: int, most: int) -> None:
    """The least rises, as where it is chosen; others rise and fall; at times all do."""
    chance = random.Random(seed)
    now: list[int | None] = [chance.choice([None, *range(most)]) for _ in range(900)]
    found = FirstLeast(now)

    def put(place: int, key: int) -> None:
        now[place] = key
        found.put(place, key)

    for step in range(1500):
        first = found.first()
        assert first is not None
        assert first == plain(now)
        put(first, (now[first] or 0) + chance.choice([0, 1, most]))
        place = chance.randrange(len(now))
        if (key := now[place]) is not None:
            put(place, max(0, key + chance.choice([-most, -1, 1])))
        if step % 500 == 499:
            for place, key in enumerate(now):
                if key is not None:
                    put(place, max(0, key + chance.choice([-most, most])))


def test_of_many_without_a_key_none_is_found() -> None:
    """Also where none of those whose keys are looked at for the front's limit has one."""
    assert FirstLeast([None] * 700).first() is None
    odd = [place if place % 2 else None for place in range(700)]
    assert FirstLeast(odd).first() == 1
