"""Frames: nothing twice, nothing forgotten, in bounded memory."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.locust_plugin.live import LiveFeed
from ipvsload.locust_plugin.live.history import MARKS
from ipvsload.locust_plugin.live.server_registry import MAX_KNOWN
from ipvsload.locust_plugin.live.time_series import SPAN_US
from tests.locust_plugin.live_feeds import (
    BEGAN,
    SECOND,
    A,
    B,
    begun,
    frame_of,
    interval,
    last,
    seen,
)
from tests.locust_plugin.samples import Counts, occupancy, table
from tests.locust_plugin.viewer import Viewer

repeatable = settings(derandomize=True, deadline=None, max_examples=60)


def test_marks_are_told_once_and_the_oldest_forgotten() -> None:
    feed = begun()
    viewer = seen(feed)
    for n in range(MARKS + 50):
        feed.mark(BEGAN + n * 1000, f"step {n}" if n else "x" * 9999)
        if n < 3:
            viewer.take(frame_of(feed, BEGAN, *viewer.position))
    assert [mark[:2] for mark in viewer.marks] == [[1, 0], [2, 1], [3, 2]]
    assert len(viewer.marks[0][2]) == 200
    assert not frame_of(feed, BEGAN, viewer.head["epoch"], viewer.head["stamp"] + 60)["full"]
    viewer.take(frame_of(feed, BEGAN, *viewer.position))  # it has slept
    assert viewer.fulls == 2
    assert [mark[0] for mark in viewer.marks] == list(range(51, MARKS + 51))


counts = st.tuples(st.integers(0, 9), st.integers(0, 99), st.integers(0, 999))
tables = st.dictionaries(st.sampled_from([A, B, "[2001:db8::1]:80"]), counts)
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("sample"), st.integers(1, 40_000), tables),
        st.tuples(st.just("traffic"), st.integers(0, 99), st.sampled_from(["a", "b", "c"])),
        st.tuples(st.just("mark"), st.just(0), st.text(max_size=3)),
        st.tuples(st.just("poll"), st.integers(0, 1), st.just("")),
        st.tuples(st.just("many"), st.integers(1, 900), tables),
    ),
    max_size=60,
)


@repeatable
@given(happenings)
def test_who_follows_knows_what_a_newcomer_is_told_and_no_peak_is_lost(told: list[Any]) -> None:
    feed = begun("")
    viewers = [Viewer(), Viewer()]
    now = BEGAN
    peaks: dict[str, tuple[int, int]] = {}
    for what, number, value in told:
        match what:
            case "sample" | "many":
                # A step of anything from 1 ms to 40 s, or a while of steady samples.
                for _ in range(1 if what == "sample" else number):
                    now += number * 1000 if what == "sample" else SECOND // 10
                    feed.sampled(table(now, value))
                    feed.occupied(occupancy(now, {a: counts[:2] for a, counts in value.items()}))
                for address, (active, inactive, _) in value.items():
                    high = peaks.get(address, (0, 0))
                    peaks[address] = (max(active, high[0]), max(inactive, high[1]))
            case "traffic":
                feed.traffic(now, {value: interval(number)})
            case "mark":
                feed.mark(now, value)
            case "poll":
                viewers[number].take(frame_of(feed, now, *viewers[number].position))
    fresh = seen(feed, now)
    for viewer in viewers:
        viewer.take(frame_of(feed, now, *viewer.position))
        assert viewer.servers == fresh.servers
        assert viewer.marks == fresh.marks
        for name, series in viewer.series.items():
            newcomers = fresh.series[name]
            assert series.columns == newcomers.columns
            assert series.open == newcomers.open
            assert series.rows[len(series.rows) - len(newcomers.rows) :] == newcomers.rows
    idents = {address: ident for ident, (_, address, _) in fresh.servers.items()}
    for name in ("table", "occupancy"):
        found = [cells for _, cells, _ in fresh.series[name].whole()]
        for address, peak in peaks.items():
            have = [cells[idents[address]] for cells in found if idents[address] in cells]
            assert (max(one for one, _ in have), max(other for _, other in have)) == peak


# Bounds


def sizes(feed: LiveFeed) -> dict[str, int]:
    viewer = seen(feed)
    return {
        "bytes": len(json.dumps(viewer.head)),
        "servers": len(viewer.servers),
        **{
            f"{name} {what}": len(getattr(series, what))
            for name, series in viewer.series.items()
            for what in ("rows", "columns")
        },
    }


def test_a_day_is_no_larger_than_an_hour() -> None:
    feed = begun()
    viewer = seen(feed)
    most: dict[str, int] = {}
    day = 24 * 3600
    for second in range(0, day, 2):
        now = BEGAN + second * SECOND
        feed.sampled(
            table(now, {A: (second % 9, 999 if second == 40 else 7, second), B: (1, 2, 3)})
        )
        feed.traffic(now, {"short": interval()})
        feed.mark(now, "change")
        if second % 1000 == 0:
            viewer.take(frame_of(feed, now, *viewer.position))
        if second in (3600, day - 2):
            for name, size in sizes(feed).items():
                most.setdefault(name, size)
                assert size <= most[name] * 1.9, name
    whole = seen(feed).series["table"].whole()
    assert max(cells[1][1] for _, cells, _ in whole) == 999
    assert whole[0][0] < day * 1000 / 200, "columns begin where the test began"


def test_a_thousand_servers_at_ten_a_second_are_thinned_not_dropped() -> None:
    feed = begun()
    addresses = [f"10.0.{n // 250}.{n % 250}:80" for n in range(1000)]
    for tenth in range(300):
        peak = 77 if tenth == 137 else 1
        counts: Mapping[str, Counts] = dict.fromkeys(addresses, (peak, 2, tenth))
        feed.sampled(table(BEGAN + tenth * SECOND // 10, counts))
    viewer = seen(feed)
    rows = viewer.series["table"].rows
    assert 25 < len(rows) < 60
    assert max(cells[500][0] for _, cells, _ in rows) == 77
    assert SPAN_US // 1000 * len(rows) // rows[-1][0] * 1000 <= 200_000, "cells in a full window"


def test_servers_that_come_and_go_are_forgotten_the_oldest_first() -> None:
    feed = begun()
    for n in range(4 * MAX_KNOWN):
        now = BEGAN + n * SECOND
        feed.sampled(table(now, {A: (1, 0, n), f"10.{n // 250}.0.{n % 250}:80": (5, 6, 7)}))
        feed.traffic(now, {"short": interval(1, f"10.{n // 250}.0.{n % 250}:80")})
    viewer = seen(feed)
    assert len(viewer.servers) <= MAX_KNOWN
    assert any(address == A for _, address, _ in viewer.servers.values())
    # What the forgotten have served is nobody's now, but still there.
    split = viewer.head["test"]["split"][0]
    assert sum(split[1::2]) == 4 * MAX_KNOWN
    assert set(split[::2]) <= {0, *viewer.servers}
    for _, cells, _ in viewer.series["table"].columns:
        assert set(cells) <= set(viewer.servers)


def test_more_servers_at_once_than_can_be_shown_are_counted() -> None:
    feed = begun()
    crowd = {f"10.{n // 250}.0.{n % 250}:80": (1, 2, 3) for n in range(MAX_KNOWN + 34)}
    feed.sampled(table(BEGAN, crowd))
    viewer = seen(feed)
    assert len(viewer.servers) == MAX_KNOWN
    assert viewer.head["hidden"] == 34
    for second in (1, 2):  # all others have left, which makes room for the next sample
        feed.sampled(table(BEGAN + second * SECOND, {A: (1, 2, 3)}))
    assert seen(feed).head["hidden"] == 0
    assert [row.address for row in feed.rows()] == [A]


def test_nodes_and_entries_are_bounded_too() -> None:
    feed = begun()
    for n in range(700):
        feed.sampled(table(BEGAN + n * SECOND, {A: (1, 0, 0)}, node=f"node {n}"))
    assert last(feed)[1][0] <= 200


def test_a_clock_that_goes_back_a_little_does_no_harm() -> None:
    feed = begun()
    for t in (0.0, 1.0, 0.5, 2.0):
        feed.sampled(table(BEGAN + int(t * SECOND), {A: (1, 2, 3)}))
    times = [t for t, _, _ in seen(feed).series["table"].rows]
    assert times == sorted(times) == [0, 1000, 2000]
