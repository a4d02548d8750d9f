"""What the page is told of servers that are killed, drained or removed, and what is foretold."""

from typing import Any

from ipvsload.locust_plugin.live.live_prediction import LivePrediction
from ipvsload.locust_plugin.live.prediction_basis import PredictionBasis
from ipvsload.locust_plugin.live.server_registry import MOST_SPELLS
from tests.locust_plugin.live_feeds import BEGAN, SECOND, A, B, begun, frame_of, seen
from tests.locust_plugin.samples import KEY, sample, server, service, table


def spells(feed: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = seen(feed).head["spells"]
    return found


def test_a_condition_lasts_until_it_is_over() -> None:
    feed = begun()
    feed.joined(1, A, 1)
    feed.suffers(BEGAN + SECOND, A, ("killed",))
    feed.suffers(BEGAN + 2 * SECOND, A, ("killed",))
    assert spells(feed) == {"1": [["killed", 1000, None]]}
    assert seen(feed).head["conditions"] == {"1": ["killed"]}
    feed.suffers(BEGAN + 3 * SECOND, A, ())
    feed.suffers(BEGAN + 4 * SECOND, A, ("speed 0.1",))
    feed.suffers(BEGAN + 5 * SECOND, A, ("speed 0.1", "frozen"))
    assert spells(feed)["1"] == [
        ["killed", 1000, 3000],
        ["speed 0.1", 4000, None],
        ["frozen", 5000, None],
    ]


def test_the_table_says_who_is_drained_and_who_was_removed() -> None:
    feed = begun()
    both = [server(A, (1, 0, 1)), server(B, (1, 0, 1))]
    feed.sampled(sample(BEGAN, service(both)))
    assert spells(feed) == {}
    drained = [server(A, (1, 0, 1), weight=0), both[1]]
    feed.sampled(sample(BEGAN + SECOND, service(drained)))
    assert spells(feed) == {"1": [["drained", 1000, None]]}
    feed.sampled(table(BEGAN + 2 * SECOND, {B: (1, 0, 1)}))
    assert spells(feed) == {"1": [["drained", 1000, 2000], ["removed", 2000, None]]}
    feed.sampled(sample(BEGAN + 3 * SECOND, service(both)))
    assert spells(feed)["1"][-1] == ["removed", 2000, 3000]
    # At the end of a test its whole service goes; nobody has removed a server then.
    feed.sampled(sample(BEGAN + 4 * SECOND))
    assert seen(feed).servers == {1: [1, A, None], 2: [2, B, None]}
    assert spells(feed).keys() == {"1"}
    assert spells(feed)["1"][-1] == ["removed", 2000, 3000]


def test_a_server_that_flaps_all_day_is_told_in_short() -> None:
    feed = begun()
    feed.joined(1, A, 1)
    for second in range(100):
        feed.suffers(BEGAN + second * SECOND, A, ("vanished",) if second % 2 else ())
    found = spells(feed)["1"]
    assert len(found) == MOST_SPELLS
    assert found[-1] == ["vanished", 99_000, None]


def test_a_viewer_gets_the_prediction_when_it_has_changed() -> None:
    feed = begun()
    assert "prediction" not in seen(feed).head
    feed.prediction = prediction = LivePrediction(lambda node, key: None, feed.prediction_changed)
    feed.begin(
        BEGAN, title="", scheduler="rr", service=KEY, classes=[], basis=PredictionBasis(why="so")
    )
    assert seen(feed).head["prediction"] == {"why": "so", "draws": 1, "servers": []}
    feed.begin(BEGAN, title="", scheduler="rr", service=KEY, classes=[], basis=PredictionBasis())
    feed.joined(1, A, 1)
    feed.joined(2, B, 1)
    viewer = seen(feed)
    assert viewer.head["prediction"]["why"] == ""
    for second in range(3):
        prediction.opened("192.0.2.101", 7 + second, second)
        counts = dict.fromkeys((B, A), (0, 0, second))
        rows = service([server(a, c) for a, c in counts.items()], persistent=0)
        # Others of the balancer's services are not foretold.
        others = service([], key="tcp 192.0.2.80:99")
        feed.sampled(sample(BEGAN + second * SECOND, others, rows))
    assert not prediction.work()
    frame = frame_of(feed, BEGAN, *viewer.position)
    assert sorted(frame["prediction"]["servers"]) == [[1, 1, 1, 1], [2, 2, 2, 2]]
    assert "prediction" not in frame_of(feed, BEGAN, frame["epoch"], frame["stamp"])
    assert seen(feed).head["prediction"] == frame["prediction"]
    # At the end the service is not there any more, and the last count is all.
    prediction.opened("192.0.2.101", 99, 9)
    feed.sampled(sample(BEGAN + 4 * SECOND))
    prediction.work()
    assert sorted(seen(feed).head["prediction"]["servers"]) == [[1, 2, 2, 2], [2, 2, 2, 2]]
