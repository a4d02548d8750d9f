"""A class divided among workers: nothing is lost, and nobody gets much more than another."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.load.pacing import EveryNth, Pacer, constant_rate
from ipvsload.locust_plugin.distributed.partition import Share, divide, shares, shares_by_class
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
    assert sum(one.users or 0 for one in found) <= users
    assert all(one.users and one.think == 0.5 for one in found)
    if requests is None:
        assert sum(one.users or 0 for one in found) == users
        assert all(one.requests is None for one in found)
    else:
        assert sum(one.requests or 0 for one in found) == requests


@given(
    st.floats(0.1, 1000), st.integers(1, 1000) | st.none(), st.floats(0.1, 100) | st.none(), workers
)
def test_arrivals_are_dealt_out_in_turn(
    rate: float, requests: int | None, duration: float | None, count: int
) -> None:
    spec = Traffic(rate=rate, requests=requests, duration=duration)
    found = shares(spec, count)
    limits = [limit for limit in (requests, duration and ceil(round(rate * duration, 6))) if limit]
    if not limits:
        assert all(share and part(share).count is None for share in found)
        return
    arrivals = sorted(
        due for share in found if share for due in times(part(share), part(share).count or 0)
    )
    assert [due / 1e9 for due in arrivals] == pytest.approx([n / rate for n in range(min(limits))])
    # To the nanosecond those of one generator alone.
    assert arrivals == times(constant_rate(rate, duration, requests), min(limits))


def part(share: Share) -> EveryNth:
    spec = share.spec
    whole = constant_rate(spec.rate or 0, spec.duration, spec.requests)
    return EveryNth(whole, share.first, share.step)


def times(pacer: Pacer, count: int) -> list[int]:
    return [pacer.due_ns(number) for number in range(count)]


def test_a_class_with_fewer_users_than_workers() -> None:
    traffic = {"one": Traffic(users=1, requests=7), "all": Traffic(users=3)}
    assert [sorted(mine) for mine in shares_by_class(traffic, 3)] == [
        ["all", "one"],
        ["all"],
        ["all"],
    ]
