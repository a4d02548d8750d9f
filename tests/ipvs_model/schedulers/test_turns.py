"""rr and wrr: whose turn it is, also after the list has changed."""

from collections import Counter
from math import gcd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers.base import Client

CLIENT = Client("192.0.2.101", 2048)


def director(scheduler: str, *weights: int) -> DirectorModel:
    model = DirectorModel(ServiceSettings(scheduler, "192.0.2.80"))
    for weight in weights:
        model.join(f"198.51.100.{len(model.servers)}:80", weight)
    return model


def turns(model: DirectorModel, number: int) -> list[int | None]:
    return [model.rule.choose(CLIENT) for _ in range(number)]


def test_rr_goes_from_the_newest_to_the_oldest_and_leaves_out_weight_0() -> None:
    assert turns(director("rr", 1, 0, 5), 5) == [2, 0, 2, 0, 2]
    assert turns(director("rr"), 1) == turns(director("rr", 0, 0), 1) == [None]


def test_rr_goes_on_after_the_mark_when_weights_change() -> None:
    model = director("rr", 1, 1, 1, 1)
    assert turns(model, 2) == [3, 2]
    model.set_weight(2, 0)
    model.set_weight(1, 0)
    assert turns(model, 3) == [0, 3, 0]


def test_a_server_that_joins_under_rr_has_its_turn_in_the_next_round() -> None:
    model = director("rr", 1, 1, 1)
    assert turns(model, 1) == [2]
    model.join("198.51.100.99:80", 1)
    assert turns(model, 4) == [1, 0, 3, 2]


@pytest.mark.parametrize(("served", "then"), [(1, [3, 1, 0]), (2, [0, 3, 2]), (3, [3, 2, 1])])
def test_when_the_marked_server_leaves_the_mark_goes_one_back(served: int, then: list[int]) -> None:
    """Back to the list's head from the newest one, where the next to join has the next turn."""
    model = director("rr", 1, 1, 1)
    last = turns(model, served)[-1]
    assert last is not None
    model.leave(last, 0)
    model.join("198.51.100.99:80", 1)
    assert turns(model, 3) == then


def test_wrr_interleaves() -> None:
    """The first server to join sets the weight of the pass, so a round begins with its end."""
    assert turns(director("wrr", 2, 3, 4), 9) == [2, 1, 0, 2, 2, 1, 2, 1, 0]
    assert turns(director("wrr", 4, 0, 2), 6) == [2, 0, 0] * 2
    assert turns(director("wrr"), 1) == turns(director("wrr", 0, 0), 1) == [None]


def test_a_change_begins_wrrs_pass_again() -> None:
    model = director("wrr", 1, 1, 1)
    assert turns(model, 2) == [2, 1]
    model.set_weight(0, 1)
    assert turns(model, 4) == [2, 1, 0, 2]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=12).filter(any), st.integers(0, 40))
def test_a_round_of_wrr_is_in_proportion_to_the_weights(weights: list[int], before: int) -> None:
    model = director("wrr", *weights)
    turns(model, before)
    common = gcd(*weights)
    served = Counter(turns(model, sum(weights) // common))
    assert served == Counter({k: weight // common for k, weight in enumerate(weights) if weight})


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9).filter(any), st.data())
def test_no_change_leaves_wrr_without_turns(weights: list[int], data: st.DataObject) -> None:
    model = director("wrr", *weights)
    for _ in range(10):
        turns(model, data.draw(st.integers(0, 9)))
        number = data.draw(st.integers(0, len(weights) - 1))
        weights[number] = data.draw(st.integers(0, 5))
        model.set_weight(number, weights[number])
        total = sum(weights)
        with_weight: set[int | None] = {k for k, weight in enumerate(weights) if weight}
        assert set(turns(model, max(total, 1))) == (with_weight or {None})
