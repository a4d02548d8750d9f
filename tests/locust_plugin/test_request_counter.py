"""Counts of requests: taken, sent, added, and what they come to."""

import json
import math
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.locust_plugin.metrics.request_counter import (
    KINDS,
    LABELS,
    OTHER,
    SERVERS,
    VERSION,
    Counts,
    RequestCounter,
    intervals,
)
from ipvsload.locust_plugin.metrics.time_buckets import BOUNDS, Times, percentile

Request = tuple[str, str | None, float | None, str | None, bool, int | None, int | None]

requests = st.lists(
    st.tuples(
        st.sampled_from(["Long", "Short", "GET /", "other", "Ä\n"]),
        st.sampled_from([None, "198.51.100.11:80", "[2001:db8::1]:80"]),
        st.none() | st.floats(0, 200_000),
        st.sampled_from([None, None, "refused", "timeout", "status 503"]),
        st.booleans(),
        st.none() | st.integers(0, 10**9),
        st.none() | st.integers(0, 10**9),
    ),
    max_size=30,
)
NEITHER = (None, None)
"""Of a request whose time in a queue and lateness nobody knows."""
durations = st.lists(st.floats(0, 200_000), min_size=1, max_size=200)


def counter_of(found: Iterable[Request]) -> RequestCounter:
    counter = RequestCounter()
    for request in found:
        counter.request(*request)
    return counter


@given(st.lists(st.integers(0, 2 * 10**12), min_size=1, max_size=50))
def test_many_at_once_are_as_many_one_by_one(latencies_us: list[int]) -> None:
    counter = counter_of(("Short", "a", us / 1000, None, False, None, None) for us in latencies_us)
    batch = RequestCounter()
    batch.answered("Short", "a", latencies_us)
    one, all_ = counter.totals()["Short"], batch.totals()["Short"]
    assert abs(one["duration"].pop("sum_us") - all_["duration"].pop("sum_us")) <= len(latencies_us)  # type: ignore[misc]
    assert one == all_


def answered(totals: dict[str, Counts]) -> Counter[tuple[str, str, bool]]:
    """How often each label, server and outcome was counted."""
    return Counter(
        {
            (label, server, bool(failed)): pair[failed]
            for label, counts in totals.items()
            for server, pair in counts["servers"].items()
            for failed in (0, 1)
        }
    )


def bucket(milliseconds: float) -> int:
    """The index of the bucket, counted out."""
    return sum(bound < milliseconds for bound in BOUNDS)


def test_bounds_are_forty_a_decade_from_a_tenth_of_a_millisecond_to_100_seconds() -> None:
    assert (BOUNDS[0], BOUNDS[-1], len(BOUNDS)) == (0.1, 100_000, 241)
    assert all(BOUNDS[i + 40] == pytest.approx(10 * BOUNDS[i]) for i in range(201))
    assert all(high / low < 1.08 for low, high in pairwise(BOUNDS))
    assert {1.0, 2.0, 5.0, 10.0, 20.0, 50.0} < set(BOUNDS)


@given(requests)
def test_every_request_is_counted_where_it_belongs(found: list[Request]) -> None:
    totals = counter_of(found).totals()
    assert answered(totals) == Counter(
        (label, server or "", failure is not None) for label, server, _, failure, *_ in found
    )
    for label, counts in totals.items():
        assert counts["failures"] == Counter(
            failure for name, _, _, failure, *_ in found if name == label and failure is not None
        )
        assert counts["retried"] == sum(
            again for name, _, _, _, again, *_ in found if name == label
        )
        mine = [one for one in found if one[0] == label]
        latencies = [ms for _, _, ms, *_ in mine if ms is not None]
        assert counts["duration"] == times(latencies, [int(ms * 1000) for ms in latencies])
        queued = [us for *_, failure, _, us, _ in mine if us is not None and failure is None]
        assert counts["queue"] == times([us / 1000 for us in queued], queued)
        late = [us for *_, us in mine if us is not None]
        assert counts["lateness"] == times([us / 1000 for us in late], late)


def times(milliseconds: list[float], us: list[int]) -> Times:
    found = Counter(map(bucket, milliseconds))
    return {"buckets": [found[i] for i in range(len(BOUNDS) + 1)], "sum_us": sum(us)}


@given(requests, requests)
def test_a_take_has_what_came_since_the_last_and_totals_have_all(
    first: list[Request], second: list[Request]
) -> None:
    counter = counter_of(first)
    assert counter.take()["labels"] == counter_of(first).totals()
    for request in second:
        counter.request(*request)
    assert counter.totals() == counter_of(first + second).totals()
    assert counter.take()["labels"] == counter_of(second).totals()
    assert counter.take() == {"version": VERSION, "labels": {}}
    assert counter.totals() == counter_of(first + second).totals()


@given(st.lists(requests, max_size=4), requests)
def test_workers_counts_add_up_on_the_master(
    workers: list[list[Request]], own: list[Request]
) -> None:
    master = counter_of(own)
    for found in workers:
        wire = msgpack.unpackb(msgpack.packb(counter_of(found).take()))
        assert json.loads(json.dumps(wire)) == wire
        master.add(wire)
    together = counter_of([*own, *(request for found in workers for request in found)])
    assert master.totals() == together.totals()
    assert master.take() == together.take()


def test_totals_are_a_copy() -> None:
    counter = counter_of([("Short", "a", 1.0, None, False, *NEITHER)])
    counter.take()
    before = counter.totals()
    counter.request("Short", "a", 1.0, None)
    before["Short"]["servers"]["a"][0] += 7
    before["Short"]["duration"]["buckets"][0] += 7
    assert counter.totals()["Short"]["servers"] == {"a": [2, 0]}
    assert sum(counter.totals()["Short"]["duration"]["buckets"]) == 2


@pytest.mark.parametrize("duration", [None, math.nan, math.inf, -math.inf, -1.0])
def test_a_request_without_a_duration_is_counted(duration: float | None) -> None:
    totals = counter_of([("GET /", None, duration, "timeout", False, *NEITHER)]).totals()
    assert totals["GET /"]["servers"] == {"": [0, 1]}
    assert sum(totals["GET /"]["duration"]["buckets"]) == 0
    assert totals["GET /"]["duration"]["sum_us"] == 0


def test_labels_and_servers_are_bounded_in_all_and_not_a_take() -> None:
    counter = RequestCounter()
    for number in range(3 * LABELS):
        counter.request(f"GET /{number}", "a", 1.0, None)
        if number % 100 == 0:
            counter.take()
    for number in range(2 * SERVERS):
        counter.request("GET /0", f"server {number}", 1.0, None)
        counter.request(f"GET /{3 * LABELS + number}", f"server {number}", 1.0, None)
        if number % 100 == 0:
            counter.take()
    totals = counter.totals()
    assert len(totals) == LABELS + 1
    assert {len(counts["servers"]) for counts in totals.values()} == {1, SERVERS + 1}
    assert sum(answered(totals).values()) == 3 * LABELS + 2 * 2 * SERVERS
    # "a" was the first, so SERVERS - 1 of the others have a place of their own.
    assert totals["GET /0"]["servers"][OTHER] == [SERVERS + 1, 0]
    assert totals[OTHER]["servers"]["a"] == [2 * LABELS, 0]
    assert totals[OTHER]["servers"][OTHER] == [SERVERS + 1, 0]


def test_kinds_of_failures_are_bounded() -> None:
    counter = RequestCounter()
    for number in range(2 * KINDS):
        counter.request("Short", None, 1.0, f"status {400 + number}")
        if number % 10 == 0:
            counter.take()
    failures = counter.totals()["Short"]["failures"]
    assert len(failures) == KINDS + 1
    assert failures["status 400"] == 1
    assert failures[OTHER] == KINDS


def test_what_workers_send_is_bounded_alike() -> None:
    master = RequestCounter()
    for worker in range(3):
        counter = RequestCounter()
        for number in range(LABELS):
            counter.request(f"GET /{worker}/{number}", None, 1.0, None)
        master.add(counter.take())
    assert len(master.take()["labels"]) == len(master.totals()) == LABELS + 1
    assert master.totals()[OTHER]["servers"] == {"": [2 * LABELS, 0]}


@given(durations, st.sampled_from([0.5, 0.95, 0.01, 1.0]))
def test_a_percentile_is_within_one_bucket_of_the_exact_one(
    found: list[float], share: float
) -> None:
    exact = sorted(found)[max(0, math.ceil(share * len(found)) - 1)]
    totals = counter_of([("Short", None, ms, None, False, *NEITHER) for ms in found]).totals()
    estimate = percentile(totals["Short"]["duration"]["buckets"], share)
    assert estimate is not None
    assert abs(bucket(estimate) - bucket(min(exact, BOUNDS[-1]))) <= 1


def test_percentiles_at_the_ends() -> None:
    assert percentile([0] * 242, 0.5) is None
    assert percentile([4] + [0] * 241, 0.5) == pytest.approx(0.05)
    assert percentile([0] * 241 + [1], 0.5) == 100_000
    assert percentile([0] * 40 + [2] + [0] * 201, 0.5) == pytest.approx(math.sqrt(0.95))


def test_intervals() -> None:
    found_out: list[Request] = [("Short", "a", 10.0, None, True, *NEITHER)] * 30
    found_out += [("Short", "b", 10.0, None, False, *NEITHER)] * 9
    found_out += [("Short", None, None, "refused", False, *NEITHER)]
    found_out += [("Async", None, None, None, False, *NEITHER)]
    counter = counter_of(found_out)
    found = intervals(counter.take(), 0.5)
    assert set(found) == {"Short", "Async"}
    short = found["Short"]
    assert (short.rate, short.failures) == (80, 2)
    assert short.split == {"a": 30, "b": 9, "": 1}
    assert short.kinds == {"refused": 1}
    assert (short.retried, found["Async"].retried) == (30, 0)
    assert short.p50_ms is not None
    assert short.p95_ms is not None
    assert 8 < short.p50_ms < short.p95_ms <= 10
    assert (found["Async"].p50_ms, found["Async"].p95_ms) == (None, None)
    assert (short.queue_p50_ms, short.queue_p95_ms) == (None, None)
    assert intervals(counter.take(), 0.5) == {}
    counter.request("Short", "a", 30.0, None, queue_us=20_000)
    queued = intervals(counter.take(), 0.5)["Short"].queue_p95_ms
    assert queued == pytest.approx(20, rel=0.07)


MANY = len(BOUNDS) + 1


def broken() -> list[Any]:
    """Deltas that are none, each in one way."""
    counts: dict[str, Any] = {
        "servers": {"a": [1, 0]}, "failures": {}, "retried": 0,
        **{key: {"buckets": [0] * MANY, "sum_us": 1} for key in ("duration", "queue", "lateness")},
    }  # fmt: skip
    labels: list[Any] = [
        None,
        [],
        {1: counts},
        {"Short": None},
        {"Short": {**counts, "servers": []}},
        {"Short": {**counts, "servers": {None: [1, 0]}}},
        {"Short": {**counts, "servers": {"a": [1]}}},
        {"Short": {**counts, "servers": {"a": [1, 2.5]}}},
        {"Short": {**counts, "servers": {"a": [1, True]}}},
        {"Short": {**counts, "servers": {"a": 1}}},
        {"Short": {**counts, "duration": {"buckets": [0] * (MANY - 1), "sum_us": 1}}},
        {"Short": {**counts, "queue": {"buckets": [-1] * MANY, "sum_us": 1}}},
        {"Short": {**counts, "lateness": {"buckets": [0] * MANY, "sum_us": None}}},
        {"Short": {**counts, "queue": None}},
        {"Short": {"servers": {"a": [1, 0]}}},
        {"Short": {**counts, "failures": {7: 1}}},
        {"Short": {**counts, "failures": {"refused": -1}}},
        {"Short": {**counts, "failures": ["refused"]}},
        {"Short": {**counts, "retried": -1}},
        {"Fine": counts, "Short": None},
    ]
    return [
        None, [], "x", {}, {"labels": {}}, {"version": VERSION + 1, "labels": {}},
        {"version": VERSION}, *({"version": VERSION, "labels": bad} for bad in labels),
    ]  # fmt: skip


@pytest.mark.parametrize("delta", broken())
def test_a_delta_of_another_version_is_refused_and_nothing_of_it_counted(delta: Any) -> None:
    master = counter_of([("Short", "a", 1.0, None, False, *NEITHER)])
    before = master.totals()
    with pytest.raises(ValueError, match="must run the same version of ipvsload"):
        master.add(delta)
    assert master.totals() == before
