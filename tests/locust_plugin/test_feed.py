"""What the page is told of servers, connections and traffic."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.locust_plugin.live import LiveFeed, TrafficInterval
from ipvsload.locust_plugin.live.class_traffic import MAX_CLASSES, OTHER_CLASSES
from ipvsload.locust_plugin.live.connection_rate import ConnectionRate
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
from tests.locust_plugin.samples import KEY, occupancy, sample, server, service, table

repeatable = settings(derandomize=True, deadline=None, max_examples=60)


# Before, between and after tests


def test_before_any_test_there_is_a_table_and_no_chart() -> None:
    feed = LiveFeed()
    feed.sampled(table(BEGAN, {A: (1, 2, 3)}))
    feed.traffic(BEGAN, {"short": interval()})
    feed.mark(BEGAN, "step")
    feed.end(BEGAN, "held")
    frame = frame_of(feed, BEGAN, -1, -1)
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
    frame = frame_of(feed, BEGAN + 10 * SECOND, *old.position)
    assert frame["full"]
    assert frame["epoch"] != old.head["epoch"]
    assert (frame["test"]["title"], frame["scheduler"], frame["now"]) == ("next", "lc", 1000)
    assert frame["marks"] == frame["servers"] == frame["table"]["rows"] == []


def test_another_process_has_another_epoch() -> None:
    assert frame_of(begun(), 0, -1, -1)["epoch"] != frame_of(begun(), 0, -1, -1)["epoch"]


def test_a_viewer_from_the_future_gets_everything() -> None:
    feed = begun()
    frame = frame_of(feed, BEGAN, -1, -1)
    assert frame_of(feed, BEGAN, frame["epoch"], frame["stamp"] + 1)["full"]
    assert not frame_of(feed, BEGAN, frame["epoch"], frame["stamp"])["full"]


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
    assert frame_of(feed, BEGAN, -1, -1)["trouble"] == "the sidecar ended: killed"
    feed.trouble("")
    assert frame_of(feed, BEGAN, -1, -1)["trouble"] == ""


# Servers


def test_servers_are_numbered_as_they_join_or_as_they_are_seen() -> None:
    feed = begun()
    feed.joined(1, B, 1)
    feed.sampled(table(BEGAN, {A: (1, 0, 0), B: (2, 0, 0)}))
    assert last(feed) == {2: [1, 0], 1: [2, 0]}


def test_a_number_that_comes_late_takes_its_place() -> None:
    feed = begun()
    feed.sampled(table(BEGAN, {A: (1, 0, 0), B: (2, 0, 0)}))
    feed.joined(1, B, 1)
    feed.joined(2, A, 1)
    assert last(feed) == {1: [2, 0], 2: [1, 0]}


def test_a_server_that_joins_again_is_the_same_line_with_a_new_number() -> None:
    feed = begun()
    feed.joined(1, A, 1)
    feed.sampled(table(BEGAN, {A: (1, 0, 5)}))
    feed.sampled(table(BEGAN + SECOND, {}))
    assert seen(feed).servers == {1: [1, A, None]}
    feed.joined(2, A, 1)
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


def test_servers_in_the_table_are_shown_with_their_busy_workers() -> None:
    feed = begun()
    feed.sampled(table(BEGAN, {A: (3, 0, 3)}))
    assert seen(feed).series["occupancy"].whole() == []
    feed.occupied(occupancy(BEGAN + SECOND, {A: (2, 1), B: (4, 9)}))
    assert last(feed, "occupancy") == {1: [2, 1]}  # B has not joined
    feed.sampled(table(BEGAN + SECOND, {}))
    feed.occupied(occupancy(BEGAN + 2 * SECOND, {A: (0, 0), B: (4, 9)}))
    assert last(feed, "occupancy") == {1: [2, 1]}  # and A has left


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
    assert frame_of(feed, BEGAN, -1, -1)["scheduler"] == "rr, lc, wlc, ..."


# Connections


def connections(feed: LiveFeed) -> dict[str, int]:
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


def rates(feed: LiveFeed) -> list[tuple[int, float]]:
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
    arrivals = ConnectionRate(BEGAN)
    now = before = BEGAN
    found = 0.0
    for milliseconds, count in steps:
        now += milliseconds * 1000
        if count:
            arrivals.add(1, count, before, now)
            before = now
        found += sum(sum(counts.values()) for _, counts in arrivals.finished_slots(now))
    for _ in range(10):
        now += SECOND
        found += sum(sum(counts.values()) for _, counts in arrivals.finished_slots(now))
    assert found == pytest.approx(sum(count for _, count in steps))


# Traffic


def test_a_class_of_which_nothing_is_said_has_sent_nothing() -> None:
    feed = begun(classes=("long", "short"))
    feed.traffic(BEGAN + SECOND, {"short": interval(5)})
    assert seen(feed).series["traffic"].rows == [
        (1000, {0: [0.0, 0.0, *4 * [None]], 1: [20.0, 1.0, 1.5, 3.0, None, None]}, 6)
    ]


def test_the_split_of_a_class_adds_up_by_server() -> None:
    feed = begun()
    feed.joined(1, A, 1)
    for address in (A, A, B, ""):
        feed.traffic(BEGAN, {"short": interval(5, address)})
    frame = frame_of(feed, BEGAN, -1, -1)
    assert frame["test"]["split"] == [[1, 10, 2, 5, 0, 5]]
    assert frame["servers"] == [[1, 1, A, None], [2, 2, B, None]]


def test_more_classes_than_anybody_could_tell_apart_are_one() -> None:
    feed = begun(classes=())
    many = {f"GET /{n}": interval(1) for n in range(100)}
    for _ in range(3):
        feed.traffic(BEGAN + SECOND, many)
    frame = frame_of(feed, BEGAN, -1, -1)
    assert len(frame["test"]["classes"]) == MAX_CLASSES + 1
    assert frame["test"]["classes"][-1] == OTHER_CLASSES
    rest = seen(feed).series["traffic"].rows[0][1][MAX_CLASSES]
    assert rest == [(100 - MAX_CLASSES) * 4.0, 100 - MAX_CLASSES, *4 * [None]]
    assert frame["test"]["split"][MAX_CLASSES] == [1, 3 * (100 - MAX_CLASSES)]


def test_columns_of_the_whole_test_have_the_mean_rate_and_the_worst_latency() -> None:
    feed = begun()
    first = TrafficInterval(10, 0, 1.0, 2.0, {}, queue_p50_ms=0.0, queue_p95_ms=9.0)
    second = TrafficInterval(30, 4, 3.0, 50.0, {}, queue_p50_ms=2.0, queue_p95_ms=4.0)
    feed.traffic(BEGAN, {"short": first})
    feed.traffic(BEGAN + SECOND // 10, {"short": second})
    feed.traffic(BEGAN + 9 * SECOND, {})
    column = {0: [20.0, 2.0, 2.5, 50.0, 1.5, 9.0]}
    assert seen(feed).series["traffic"].columns == [(125, column, 6)]


def test_a_test_is_called_by_its_label() -> None:
    feed = LiveFeed()
    feed.begin(BEGAN, title="t", scheduler="sh", service=KEY, classes=[], label="by-port")
    assert frame_of(feed, BEGAN, -1, -1)["test"]["title"] == "t · by-port"
    assert feed.labels == {KEY: "by-port"}
    feed.begin(BEGAN, title="t", scheduler="sh", service=KEY, classes=[], label="sh")
    assert frame_of(feed, BEGAN, -1, -1)["test"]["title"] == "t"
    feed.begin(BEGAN, title="t", scheduler="sh", service=KEY, classes=[])
    assert feed.labels == {KEY: "sh"}
