"""What the page is told: nothing twice, nothing forgotten, in bounded memory."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.swarm.feed import Feed, Interval
from ipvsload.swarm.feed.arrivals import Arrivals
from ipvsload.swarm.feed.history import MARKS
from ipvsload.swarm.feed.roster import MOST
from ipvsload.swarm.feed.series import SPAN_US
from ipvsload.swarm.feed.traffic import MOST as MOST_CLASSES
from ipvsload.swarm.feed.traffic import REST
from tests.swarm.samples import KEY, Counts, sample, server, service, table
from tests.swarm.viewer import Viewer

repeatable = settings(derandomize=True, deadline=None, max_examples=60)

SECOND = 1_000_000
BEGAN = 77 * SECOND
A, B = "198.51.100.11:80", "198.51.100.12:80"


def begun(service: str = KEY, classes: tuple[str, ...] = ("short",)) -> Feed:
    feed = Feed()
    feed.begin(BEGAN, title="skew", scheduler="rr", service=service, classes=classes)
    return feed


def seen(feed: Feed, now_us: int = BEGAN) -> Viewer:
    """What somebody who opens the page now sees."""
    viewer = Viewer()
    viewer.take(feed.frame(now_us, -1, -1))
    assert viewer.head["full"]
    return viewer


def last(feed: Feed, name: str = "table") -> dict[int, Any]:
    """The last row, by server number."""
    viewer = seen(feed)
    return viewer.numbered(viewer.series[name].rows[-1][1])


def interval(count: int = 5, address: str = A, p50: float | None = 1.5) -> Interval:
    return Interval(count * 4.0, 1.0, p50, p50 and p50 * 2, {address: count})


# Before, between and after tests


def test_before_any_test_there_is_a_table_and_no_chart() -> None:
    feed = Feed()
    feed.sampled(table(BEGAN, {A: (1, 2, 3)}))
    feed.traffic(BEGAN, {"short": interval()})
    feed.mark(BEGAN, "step")
    feed.end(BEGAN, "held")
    frame = feed.frame(BEGAN, -1, -1)
    assert frame["test"] is None
    assert frame["marks"] == []
    assert frame["servers"] == [[1, 1, A, 1]]
    assert [row[:5] for row in feed.rows()] == [(1, A, 1, 1, 2)]


def test_a_new_test_is_a_new_epoch_with_nothing_of_the_old() -> None:
    feed = begun()
    feed.sampled(table(BEGAN + SECOND, {A: (1, 2, 3)}))
    feed.mark(BEGAN, "step")
    old = seen(feed)
    feed.begin(BEGAN + 9 * SECOND, title="next", scheduler="lc", service=KEY, classes=[])
    frame = feed.frame(BEGAN + 10 * SECOND, *old.position)
    assert frame["full"]
    assert frame["epoch"] != old.head["epoch"]
    assert (frame["test"]["title"], frame["scheduler"], frame["now"]) == ("next", "lc", 1000)
    assert frame["marks"] == frame["servers"] == frame["table"]["rows"] == []


def test_another_process_has_another_epoch() -> None:
    assert begun().frame(0, -1, -1)["epoch"] != begun().frame(0, -1, -1)["epoch"]


def test_a_viewer_from_the_future_gets_everything() -> None:
    feed = begun()
    frame = feed.frame(BEGAN, -1, -1)
    assert feed.frame(BEGAN, frame["epoch"], frame["stamp"] + 1)["full"]
    assert not feed.frame(BEGAN, frame["epoch"], frame["stamp"])["full"]


def test_after_the_end_the_table_is_watched_until_the_kernel_has_forgotten() -> None:
    feed = begun()
    for second in range(400):
        if second == 10:
            feed.end(BEGAN + 10 * SECOND, "held: 7 of 7 expectations")
        feed.sampled(table(BEGAN + second * SECOND, {A: (0, 400 - second, 9)}))
        feed.traffic(BEGAN + second * SECOND, {"short": interval()})
    viewer = seen(feed)
    assert viewer.head["test"]["ended"] == 10_000
    assert viewer.head["test"]["verdict"] == "held: 7 of 7 expectations"
    assert viewer.series["table"].rows[-1][0] == 190_000


def test_trouble_outlives_tests_until_it_is_over() -> None:
    feed = begun()
    feed.trouble("the sidecar ended: killed")
    feed.begin(BEGAN, title="", scheduler="rr", service="", classes=[])
    assert feed.frame(BEGAN, -1, -1)["trouble"] == "the sidecar ended: killed"
    feed.trouble("")
    assert feed.frame(BEGAN, -1, -1)["trouble"] == ""


# Servers


def test_servers_are_numbered_as_they_join_or_as_they_are_seen() -> None:
    feed = begun()
    feed.joined(1, B)
    feed.sampled(table(BEGAN, {A: (1, 0, 0), B: (2, 0, 0)}))
    assert last(feed) == {2: [1, 0], 1: [2, 0]}


def test_a_number_that_comes_late_takes_its_place() -> None:
    feed = begun()
    feed.sampled(table(BEGAN, {A: (1, 0, 0), B: (2, 0, 0)}))
    feed.joined(1, B)
    feed.joined(2, A)
    assert last(feed) == {1: [2, 0], 2: [1, 0]}


def test_a_server_that_joins_again_is_the_same_line_with_a_new_number() -> None:
    feed = begun()
    feed.joined(1, A)
    feed.sampled(table(BEGAN, {A: (1, 0, 5)}))
    feed.sampled(table(BEGAN + SECOND, {}))
    assert seen(feed).servers == {1: [1, A, None]}
    feed.joined(2, A)
    feed.sampled(table(BEGAN + 2 * SECOND, {A: (3, 0, 5)}))
    viewer = seen(feed)
    assert [cells for _, cells, _ in viewer.series["table"].rows] == [{1: [1, 0]}, {}, {1: [3, 0]}]
    assert viewer.servers == {1: [2, A, 1]}


def test_weights_and_the_scheduler_are_the_kernels() -> None:
    feed = begun()
    one, two = server(A, (0, 0, 0), weight=3), server(B, (0, 0, 0), weight=0)
    feed.sampled(sample(BEGAN, service([one, two], scheduler="wlc")))
    viewer = seen(feed)
    assert viewer.head["scheduler"] == "wlc"
    assert {address: weight for _, address, weight in viewer.servers.values()} == {A: 3, B: 0}


def test_only_the_service_under_test_counts() -> None:
    other = service([server(A, (7, 7, 7)), server("10.0.0.1:1", (7, 7, 7))], key="fwmark 1")
    for key, expected in ((KEY, {1: [1, 2]}), ("", {1: [8, 9], 2: [7, 7]})):
        feed = begun(key)
        feed.sampled(sample(BEGAN, service([server(A, (1, 2, 3))]), other))
        assert last(feed) == expected


def test_nodes_are_added_as_each_was_last_seen() -> None:
    feed = begun()
    feed.sampled(table(BEGAN, {A: (1, 10, 0)}, node="x"))
    feed.sampled(table(BEGAN + SECOND, {A: (2, 20, 0), B: (5, 5, 0)}, node="y"))
    assert last(feed) == {1: [3, 30], 2: [5, 5]}
    feed.sampled(table(BEGAN + 2 * SECOND, {}, node="y"))
    assert last(feed) == {1: [1, 10]}
    assert [row.address for row in feed.rows()] == [A]


def test_a_thousand_services_and_schedulers_are_named_by_the_first() -> None:
    feed = begun("")
    names = ("rr", "lc", "wlc", "sed")
    feed.sampled(sample(BEGAN, *(service([], f"fwmark {n}", n_) for n, n_ in enumerate(names))))
    assert feed.frame(BEGAN, -1, -1)["scheduler"] == "rr, lc, wlc, ..."


# Connections


def connections(feed: Feed) -> dict[str, int]:
    viewer = seen(feed)
    flat = viewer.head["connections"]
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return {viewer.servers[ident][1]: count for ident, count in pairs}


def test_connections_are_those_since_the_test_began() -> None:
    feed = begun()
    feed.sampled(table(BEGAN, {A: (0, 0, 1000)}))
    feed.sampled(table(BEGAN + 1 * SECOND, {A: (0, 0, 1010), B: (0, 0, 4)}))  # B joined
    feed.sampled(table(BEGAN + 2 * SECOND, {A: (0, 0, 7), B: (0, 0, 4)}))  # A's entry is new
    feed.sampled(table(BEGAN + 3 * SECOND, {B: (0, 0, 4)}))
    feed.sampled(table(BEGAN + 4 * SECOND, {A: (0, 0, 8), B: (0, 0, 5)}))  # out of the trash
    assert connections(feed) == {A: 10 + 7 + 1, B: 5}


def rates(feed: Feed) -> list[tuple[int, float]]:
    return [(t, cells[1][0]) for t, cells, _ in seen(feed).series["new"].rows if 1 in cells]


@pytest.mark.parametrize("phase", [0.0, 0.35, 1.9])
def test_new_connections_a_second_are_even_although_the_counter_jumps(phase: float) -> None:
    """Twenty a second, told by the kernel every two seconds."""
    feed = begun()
    for tenth in range(200):
        refreshes = int((tenth / 10 + phase) // 2)
        feed.sampled(table(BEGAN + tenth * SECOND // 10, {A: (0, 0, 40 * refreshes)}))
    settled = [rate for t, rate in rates(feed) if t > 4000]
    assert len(settled) > 20
    assert settled == pytest.approx([20] * len(settled), abs=0.2)


def test_what_comes_after_a_silence_came_since_the_last_refresh() -> None:
    feed = begun()
    for tenth in range(150):
        feed.sampled(table(BEGAN + tenth * SECOND // 10, {A: (0, 0, 100 if tenth >= 100 else 0)}))
    found = {t: rate for t, rate in rates(feed) if rate}
    assert min(found) >= 7500
    assert max(found) <= 10_000
    assert sum(found.values()) / 2 == pytest.approx(100, abs=0.5)


def test_a_pause_in_the_samples_is_no_burst() -> None:
    feed = begun()
    feed.sampled(table(BEGAN, {A: (0, 0, 0)}))
    feed.sampled(table(BEGAN + 30 * SECOND, {A: (0, 0, 300)}))
    feed.sampled(table(BEGAN + 40 * SECOND, {A: (0, 0, 300)}))
    assert max(rate for _, rate in rates(feed)) < 11


@repeatable
@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 50)), max_size=40))
def test_spreading_keeps_the_sum(steps: list[tuple[int, int]]) -> None:
    arrivals = Arrivals(BEGAN)
    now = before = BEGAN
    found = 0.0
    for milliseconds, count in steps:
        now += milliseconds * 1000
        if count:
            arrivals.came(1, count, before, now)
            before = now
        found += sum(sum(counts.values()) for _, counts in arrivals.closed(now))
    for _ in range(10):
        now += SECOND
        found += sum(sum(counts.values()) for _, counts in arrivals.closed(now))
    assert found == pytest.approx(sum(count for _, count in steps))


# Traffic


def test_a_class_of_which_nothing_is_said_has_sent_nothing() -> None:
    feed = begun(classes=("long", "short"))
    feed.traffic(BEGAN + SECOND, {"short": interval(5)})
    assert seen(feed).series["traffic"].rows == [
        (1000, {0: [0.0, 0.0, None, None], 1: [20.0, 1.0, 1.5, 3.0]}, 4)
    ]


def test_the_split_of_a_class_adds_up_by_server() -> None:
    feed = begun()
    feed.joined(1, A)
    for address in (A, A, B, ""):
        feed.traffic(BEGAN, {"short": interval(5, address)})
    frame = feed.frame(BEGAN, -1, -1)
    assert frame["test"]["split"] == [[1, 10, 2, 5, 0, 5]]
    assert frame["servers"] == [[1, 1, A, None], [2, 2, B, None]]


def test_more_classes_than_anybody_could_tell_apart_are_one() -> None:
    feed = begun(classes=())
    many = {f"GET /{n}": interval(1) for n in range(100)}
    for _ in range(3):
        feed.traffic(BEGAN + SECOND, many)
    frame = feed.frame(BEGAN, -1, -1)
    assert len(frame["test"]["classes"]) == MOST_CLASSES + 1
    assert frame["test"]["classes"][-1] == REST
    rest = seen(feed).series["traffic"].rows[0][1][MOST_CLASSES]
    assert rest == [(100 - MOST_CLASSES) * 4.0, 100 - MOST_CLASSES, None, None]
    assert frame["test"]["split"][MOST_CLASSES] == [1, 3 * (100 - MOST_CLASSES)]


def test_columns_of_the_whole_test_have_the_mean_rate_and_the_worst_latency() -> None:
    feed = begun()
    feed.traffic(BEGAN, {"short": Interval(10, 0, 1.0, 2.0, {})})
    feed.traffic(BEGAN + SECOND // 10, {"short": Interval(30, 4, 3.0, 50.0, {})})
    feed.traffic(BEGAN + 9 * SECOND, {})
    assert seen(feed).series["traffic"].columns == [(125, {0: [20.0, 2.0, 2.5, 50.0]}, 4)]


# Frames


def test_marks_are_told_once_and_the_oldest_forgotten() -> None:
    feed = begun()
    viewer = seen(feed)
    for n in range(MARKS + 50):
        feed.mark(BEGAN + n * 1000, f"step {n}" if n else "x" * 9999)
        if n < 3:
            viewer.take(feed.frame(BEGAN, *viewer.position))
    assert [mark[:2] for mark in viewer.marks] == [[1, 0], [2, 1], [3, 2]]
    assert len(viewer.marks[0][2]) == 200
    assert not feed.frame(BEGAN, viewer.head["epoch"], viewer.head["stamp"] + 60)["full"]
    viewer.take(feed.frame(BEGAN, *viewer.position))  # it has slept
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
                for address, (active, inactive, _) in value.items():
                    high = peaks.get(address, (0, 0))
                    peaks[address] = (max(active, high[0]), max(inactive, high[1]))
            case "traffic":
                feed.traffic(now, {value: interval(number)})
            case "mark":
                feed.mark(now, value)
            case "poll":
                viewers[number].take(feed.frame(now, *viewers[number].position))
    fresh = seen(feed, now)
    for viewer in viewers:
        viewer.take(feed.frame(now, *viewer.position))
        assert viewer.servers == fresh.servers
        assert viewer.marks == fresh.marks
        for name, series in viewer.series.items():
            newcomers = fresh.series[name]
            assert series.columns == newcomers.columns
            assert series.open == newcomers.open
            assert series.rows[len(series.rows) - len(newcomers.rows) :] == newcomers.rows
    idents = {address: ident for ident, (_, address, _) in fresh.servers.items()}
    found = [cells for _, cells, _ in fresh.series["table"].whole()]
    for address, (active, inactive) in peaks.items():
        have = [cells[idents[address]] for cells in found if idents[address] in cells]
        assert max(a for a, _ in have) == active
        assert max(i for _, i in have) == inactive


# Bounds


def sizes(feed: Feed) -> dict[str, int]:
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
            viewer.take(feed.frame(now, *viewer.position))
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
    for n in range(4 * MOST):
        now = BEGAN + n * SECOND
        feed.sampled(table(now, {A: (1, 0, n), f"10.{n // 250}.0.{n % 250}:80": (5, 6, 7)}))
        feed.traffic(now, {"short": interval(1, f"10.{n // 250}.0.{n % 250}:80")})
    viewer = seen(feed)
    assert len(viewer.servers) <= MOST
    assert any(address == A for _, address, _ in viewer.servers.values())
    # What the forgotten have served is nobody's now, but still there.
    split = viewer.head["test"]["split"][0]
    assert sum(split[1::2]) == 4 * MOST
    assert set(split[::2]) <= {0, *viewer.servers}
    for _, cells, _ in viewer.series["table"].columns:
        assert set(cells) <= set(viewer.servers)


def test_more_servers_at_once_than_can_be_shown_are_counted() -> None:
    feed = begun()
    crowd = {f"10.{n // 250}.0.{n % 250}:80": (1, 2, 3) for n in range(MOST + 34)}
    feed.sampled(table(BEGAN, crowd))
    viewer = seen(feed)
    assert len(viewer.servers) == MOST
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
