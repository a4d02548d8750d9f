"""A feed with a test that has begun, for tests of what it then tells."""

import json
from typing import Any

from ipvsload.locust_plugin.live import LiveFeed, TrafficInterval
from tests.locust_plugin.samples import KEY
from tests.locust_plugin.viewer import Viewer

SECOND = 1_000_000
BEGAN = 77 * SECOND
A, B = "198.51.100.11:80", "198.51.100.12:80"


def frame_of(feed: LiveFeed, now_us: int, epoch: int, after: int) -> dict[str, Any]:
    """What a viewer gets who has seen an epoch up to a stamp."""
    found: dict[str, Any] = json.loads(feed.text(now_us, epoch, after))
    return found


def begun(service: str = KEY, classes: tuple[str, ...] = ("short",)) -> LiveFeed:
    feed = LiveFeed()
    feed.begin(BEGAN, title="skew", scheduler="rr", service=service, classes=classes)
    return feed


def seen(feed: LiveFeed, now_us: int = BEGAN) -> Viewer:
    """What somebody who opens the page now sees."""
    viewer = Viewer()
    viewer.take(frame_of(feed, now_us, -1, -1))
    assert viewer.head["full"]
    return viewer


def last(feed: LiveFeed, name: str = "table") -> dict[int, Any]:
    """The last row, by server number."""
    viewer = seen(feed)
    return viewer.numbered(viewer.series[name].rows[-1][1])


def interval(count: int = 5, address: str = A, p50: float | None = 1.5) -> TrafficInterval:
    return TrafficInterval(count * 4.0, 1.0, p50, p50 and p50 * 2, {address: count})
