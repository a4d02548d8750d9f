"""One test as the page shows it: charts, marks, and how many requests each server served."""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from ipvsload.locust_plugin.live import class_traffic, connection_rate
from ipvsload.locust_plugin.live.class_traffic import Cell, Classes, TrafficInterval
from ipvsload.locust_plugin.live.connection_rate import SLOT_US, ConnectionRate, Count
from ipvsload.locust_plugin.live.server_registry import KnownServer, ServerRegistry
from ipvsload.locust_plugin.live.time_series import TimeSeries
from ipvsload.scenario.failures import in_order

MARKS = 300
"""The newest so many marks are kept."""

# So long after its end a test's charts go on: the kernel still drops its connections.
_AFTER_END_US = 180_000_000
_TEXT = 200
_UNKNOWN = 0


class _Mark(NamedTuple):
    stamp: int
    text: str


class TestHistory:
    """Everything since `began_us`; each call of `stamp` returns a larger number."""

    def __init__(
        self, began_us: int, title: str, classes: Sequence[str], stamp: Callable[[], int]
    ) -> None:
        self.connection_rate = ConnectionRate(began_us)
        self._began = began_us
        self._title = title[:_TEXT]
        self._ended: int | None = None
        self._verdict = ""
        self._stamp = stamp
        self._classes = Classes(classes)
        self._split: list[Counter[int]] = []
        self._kinds: list[Counter[str]] = []
        self._retried = Counter[int]()
        self._marks: deque[_Mark] = deque()
        self._mark_number = 0
        self._mark_dropped = 0
        begin = began_us, stamp
        self._table = TimeSeries[tuple[int, int]](*begin, _higher, "{0[0]},{0[1]}".format)
        self._new = TimeSeries[Count](*begin, connection_rate.merge, connection_rate.to_json)
        self._occupancy = TimeSeries[tuple[int, int]](*begin, _higher, "{0[0]},{0[1]}".format)
        self._traffic = TimeSeries[Cell](*begin, class_traffic.merge, class_traffic.to_json)

    @property
    def dropped(self) -> int:
        """A viewer who has not seen this stamp needs everything."""
        series = (self._table, self._occupancy, self._new, self._traffic)
        return max(self._mark_dropped, *(one.dropped for one in series))

    def end(self, t_us: int, verdict: str) -> None:
        """End the test; the charts of the table go on for a while."""
        self._ended = t_us
        self._verdict = verdict[:_TEXT]

    def sampled(self, t_us: int, present: Iterable[KnownServer]) -> None:
        """Take the kernel's table; its new connections have been added to `connection_rate`."""
        if self._over(t_us):
            return
        servers = list(present)
        self._table.add(t_us, {s.ident: (s.active, s.inactive) for s in servers})
        for middle_us, counts in self.connection_rate.finished_slots(t_us):
            seconds = SLOT_US / 1e6
            cells = {s.ident: (0.0, seconds) for s in servers if s.since_us <= middle_us}
            cells |= {ident: (count, seconds) for ident, count in counts.items()}
            self._new.add(middle_us, cells)

    def occupied(self, t_us: int, cells: dict[int, tuple[int, int]]) -> None:
        """Take busy workers and waiting requests, by the servers' idents."""
        if cells and not self._over(t_us):
            self._occupancy.add(t_us, cells)

    def traffic(
        self, t_us: int, intervals: Mapping[str, TrafficInterval], registry: ServerRegistry
    ) -> None:
        """Take what the load did in an interval that ended at `t_us`."""
        if self._over(t_us):
            return
        self._traffic.add(t_us, self._classes.cells(intervals))
        self._split += [Counter() for _ in self._classes.names[len(self._split) :]]
        self._kinds += [Counter() for _ in self._classes.names[len(self._kinds) :]]
        for name, interval in intervals.items():
            number = self._classes.number(name)
            counts = self._split[number]
            self._kinds[number].update(interval.kinds)
            self._retried[number] += interval.retried
            for address, count in interval.split.items():
                server = registry.known(address) if address else None
                counts[server.ident if server else _UNKNOWN] += count

    def mark(self, t_us: int, text: str) -> None:
        """Add a step, or a change that a person made."""
        self._mark_number += 1
        if len(self._marks) >= MARKS:
            self._mark_dropped = self._marks.popleft().stamp
        mark = json.dumps([self._mark_number, (t_us - self._began) // 1000, text[:_TEXT]])
        self._marks.append(_Mark(self._stamp(), mark))

    def drop(self, idents: set[int]) -> None:
        """Drop these servers; what they served is counted for a server that is not known."""
        self._table.drop(idents)
        self._occupancy.drop(idents)
        self._new.drop(idents)
        for counts in self._split:
            for ident in idents & counts.keys():
                counts[_UNKNOWN] += counts.pop(ident)

    def frame(self, after: int) -> str:
        """Return what came after a stamp, as the inside of a JSON object."""
        began = self._began
        test = {
            "title": self._title,
            "began": began // 1000,
            "ended": None if self._ended is None else (self._ended - began) // 1000,
            "verdict": self._verdict,
            "classes": self._classes.names,
            # Requests that were sent again on a new connection.
            "retried": [self._retried[number] for number in range(len(self._classes.names))],
            # [kind, count] of each kind, in the order of tables.
            "failures": [[*in_order(counts).items()] for counts in self._kinds],
            # Server, count, server, count; 0 is a server that is not known.
            "split": [[*chain.from_iterable(counts.items())] for counts in self._split],
        }
        marks = ",".join(mark.text for mark in self._marks if mark.stamp > after)
        return (
            f'"test":{json.dumps(test)},"table":{self._table.frame(after)},'
            f'"occupancy":{self._occupancy.frame(after)},'
            f'"new":{self._new.frame(after)},"traffic":{self._traffic.frame(after)},'
            f'"marks":[{marks}]'
        )

    def _over(self, t_us: int) -> bool:
        return self._ended is not None and t_us > self._ended + _AFTER_END_US


def _higher(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return max(one[0], other[0]), max(one[1], other[1])
