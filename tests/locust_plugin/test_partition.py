"""A class divided among workers: nothing is lost, and nobody gets much more than another."""

from itertools import islice
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.load.pacing import due_times
from ipvsload.load.user_pacing import user_changes
from ipvsload.locust_plugin.distributed.partition import divide, shares, shares_by_class
from ipvsload.scenario.model import Traffic

workers = st.integers(1, 40)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 1000), min_size=1).filter(any))
def test_parts_add_up_and_are_near_their_proportion(total: int, weights: list[int]) -> None:
    parts = divide(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - total * weight / sum(weights)) < 1 + total * 1e-12


@given(st.integers(1, 10_000), st.integers(1, 10**6) | st.none(), workers)
def test_users_and_budgets_add_up(users: int, requests: int | None, count: int) -> None:
    spec = Traffic(users=users, requests=requests, think=0.5)
    found = [share.spec for share in shares(spec, count) if share]
    # A worker with users but nothing for them to ask has no part.
    assert sum(one.most_users for one in found) <= users
    assert all(one.users and one.think == 0.5 for one in found)
    if requests is None:
        assert sum(one.most_users for one in found) == users
        assert all(one.requests is None for one in found)
    else:
        assert sum(one.requests or 0 for one in found) == requests


@given(st.floats(0.1, 1000), st.integers(1, 300) | st.none(), st.floats(0.1, 3), workers)
def test_arrivals_are_dealt_out_in_turn(
    rate: float, requests: int | None, duration: float, count: int
) -> None:
    spec = Traffic(rate=rate, requests=requests, duration=duration)
    found = [share for share in shares(spec, count) if share]
    arrivals = [
        due
        for share in found
        for due in islice(due_times(share.spec), share.first, None, share.step)
    ]
    # To the nanosecond those of one generator alone.
    assert sorted(arrivals) == list(due_times(spec))


@given(st.integers(1, 60), st.integers(1, 500), workers)
def test_each_number_of_a_request_is_one_workers(users: int, requests: int, count: int) -> None:
    budget = Traffic(users=users, requests=requests)
    numbers = [
        share.first + share.step * n
        for share in shares(budget, count)
        if share
        for n in range(share.spec.requests or 0)
    ]
    assert sorted(numbers) == list(range(requests))
    endless = [share for share in shares(Traffic(users=users), count) if share]
    assert {share.step for share in endless} == {count}
    assert len({share.first for share in endless}) == len(endless)


@given(st.integers(1, 60), st.integers(1, 500) | st.none(), workers)
def test_users_whose_number_changes_are_dealt_out_in_turn(
    most: int, requests: int | None, count: int
) -> None:
    ramp: Any = [{"from": 0, "to": most, "over": 3}, {"users": 1, "over": 2}]
    spec = Traffic(users=ramp, requests=requests)
    found = [share for share in shares(spec, count) if share]
    numbers = [
        share.first + share.step * n for share in found for n in range(share.spec.requests or 0)
    ]
    assert sorted(numbers) == list(range(requests or 0))
    if requests is None or requests >= count:
        parts = [user_changes(one.spec.user_stages, one.first, one.step) for one in found]
        together = sorted(change for part in parts for change in part)
        assert together == sorted(user_changes(spec.user_stages))


def test_a_class_with_fewer_users_than_workers() -> None:
    traffic = {"one": Traffic(users=1, requests=7), "all": Traffic(users=3)}
    assert [sorted(mine) for mine in shares_by_class(traffic, 3)] == [
        ["all", "one"],
        ["all"],
        ["all"],
    ]
