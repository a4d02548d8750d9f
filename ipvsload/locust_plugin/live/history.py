"""One test: its charts, its marks, and who served what."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from ipvsload.locust_plugin.live import class_traffic as traffic
from ipvsload.locust_plugin.live import connection_rate as arrivals
from ipvsload.locust_plugin.live.class_traffic import Classes, TrafficInterval
from ipvsload.locust_plugin.live.connection_rate import SLOT_US, ConnectionRate, Count
from ipvsload.locust_plugin.live.server_registry import Member, ServerRegistry
from ipvsload.locust_plugin.live.time_series import TimeSeries

MARKS = 300
"""The newest so many marks are kept."""

# After its end a test is watched while the kernel forgets its connections.
_AFTERGLOW_US = 180_000_000
_TEXT = 200
_UNKNOWN = 0


class _Mark(NamedTuple):
    stamp: int
    text: str


class TestHistory:
    """What happened since `began_us`; `stamp` gives numbers that grow."""

    def __init__(
        self, began_us: int, title: str, classes: Sequence[str], stamp: Callable[[], int]
    ) -> None:
        self.arrivals = ConnectionRate(began_us)
        self._began = began_us
        self._title = title[:_TEXT]
        self._ended: int | None = None
        self._verdict = ""
        self._stamp = stamp
        self._classes = Classes(classes)
        self._split: list[dict[int, int]] = []
        self._marks: deque[_Mark] = deque()
        self._mark_number = 0
        self._mark_lost = 0
        self._table: TimeSeries[tuple[int, int]] = TimeSeries(
            began_us, stamp, _higher, "{0[0]},{0[1]}".format
        )
        self._new: TimeSeries[Count] = TimeSeries(began_us, stamp, arrivals.merge, arrivals.show)
        self._traffic: TimeSeries[traffic.Cell] = TimeSeries(
            began_us, stamp, traffic.merge, traffic.show
        )

    @property
    def lost(self) -> int:
        """Whoever has not seen this stamp needs everything."""
        return max(self._mark_lost, self._table.lost, self._new.lost, self._traffic.lost)

    def end(self, t_us: int, verdict: str) -> None:
        """Nothing more is asked of the load; the table is still watched for a while."""
        self._ended = t_us
        self._verdict = verdict[:_TEXT]

    def sampled(self, t_us: int, present: Iterable[Member]) -> None:
        """The kernel's table at a time; what it says of new connections, `arrivals` knows."""
        if self._over(t_us):
            return
        members = list(present)
        self._table.add(t_us, {m.ident: (m.active, m.inactive) for m in members})
        for middle_us, counts in self.arrivals.closed(t_us):
            seconds = SLOT_US / 1e6
            cells = {m.ident: (0.0, seconds) for m in members if m.since_us <= middle_us}
            cells |= {ident: (count, seconds) for ident, count in counts.items()}
            self._new.add(middle_us, cells)

    def traffic(
        self, t_us: int, intervals: Mapping[str, TrafficInterval], roster: ServerRegistry
    ) -> None:
        """What the load did up to a time."""
        if self._over(t_us):
            return
        self._traffic.add(t_us, self._classes.cells(intervals))
        for name, interval in intervals.items():
            number = self._classes.number(name)
            while len(self._split) <= number:
                self._split.append({})
            counts = self._split[number]
            for address, count in interval.split.items():
                member = (roster.members.get(address) or roster.admit(address)) if address else None
                ident = member.ident if member else _UNKNOWN
                counts[ident] = counts.get(ident, 0) + count

    def mark(self, t_us: int, text: str) -> None:
        """A step, or a change by hand."""
        self._mark_number += 1
        if len(self._marks) >= MARKS:
            self._mark_lost = self._marks.popleft().stamp
        mark = json.dumps([self._mark_number, (t_us - self._began) // 1000, text[:_TEXT]])
        self._marks.append(_Mark(self._stamp(), mark))

    def forget(self, idents: set[int]) -> None:
        """Servers that are not known any more; what they served is nobody's."""
        self._table.forget(idents)
        self._new.forget(idents)
        for counts in self._split:
            for ident in idents & counts.keys():
                counts[_UNKNOWN] = counts.get(_UNKNOWN, 0) + counts.pop(ident)

    def frame(self, after: int) -> str:
        """What came after a stamp, as the inside of a JSON object."""
        began = self._began
        test = {
            "title": self._title,
            "began": began // 1000,
            "ended": None if self._ended is None else (self._ended - began) // 1000,
            "verdict": self._verdict,
            "classes": self._classes.names,
            # Server, count, server, count; 0 is a server that is not known.
            "split": [[*chain.from_iterable(counts.items())] for counts in self._split],
        }
        marks = ",".join(mark.text for mark in self._marks if mark.stamp > after)
        return (
            f'"test":{json.dumps(test)},"table":{self._table.frame(after)},'
            f'"new":{self._new.frame(after)},"traffic":{self._traffic.frame(after)},'
            f'"marks":[{marks}]'
        )

    def _over(self, t_us: int) -> bool:
        return self._ended is not None and t_us > self._ended + _AFTERGLOW_US


def _higher(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return max(one[0], other[0]), max(one[1], other[1])
