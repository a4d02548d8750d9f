"""The arrivals of a simulation that keeps no single request, in the order of time.

They are those of `model_workload.py`, and so of a real run: the same times, users and work by
the same seed. But a request's answer is known as soon as it is sent, so a closed user's next
one is, too.
"""

import math
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Protocol

from ipvsload.ipvs_model.timer_wheel import SECOND_NS
from ipvsload.load.pacing import due_times
from ipvsload.load.random_numbers import RandomNumbers
from ipvsload.scenario.traffic import WORK, Traffic
from ipvsload.simulate.connection_stream import Arrival
from ipvsload.simulate.model_pages import answers_of


class _Answered(Protocol):
    @property
    def answered_ns(self) -> int:
        """When the request that came last has its answer."""


class _Class:
    """A class that was started: what its requests have in common."""

    def __init__(self, traffic: int, spec: Traffic, began_ns: int, key: tuple[object, ...]) -> None:
        self.traffic = traffic
        self.left = math.inf if spec.requests is None else spec.requests
        self.there = 0
        """How many of its arrivals or users are waiting for their time."""
        self.pause_ns = int(spec.think * SECOND_NS)
        self.due = due_times(spec, *key) if spec.open else None
        self.began_ns = began_ns
        self.ends_ns = began_ns + spec.seconds * SECOND_NS
        self._answer = answers_of(spec, "192.0.2.101")
        self._path = spec.path.encode()
        self._quantile = spec.work.quantile if spec.work and WORK in spec.request else None
        self._numbers = RandomNumbers(*key, "work")
        self._number = 0
        self._same_ns = self._work_ns(None)

    def next_work_ns(self) -> int:
        """The work of its next request."""
        if self._quantile is None:
            return self._same_ns
        drawn = self._quantile(self._numbers.at(self._number))
        self._number += 1
        return self._work_ns(round(drawn * 1_000_000))

    def _work_ns(self, work_us: int | None) -> int:
        return round(self._answer(self._path, work_us).work * SECOND_NS)


class SummarizedTraffic:
    """The classes that have been started, by number; `stream` is who is given their arrivals."""

    def __init__(self, stream: _Answered) -> None:
        self._stream = stream
        self._started: dict[int, _Class] = {}
        self._coming: list[tuple[int, int, _Class]] = []
        """A heap of what comes next of each open class, and of each user."""
        self._order = 0
        self.began_ns: dict[int, int] = {}
        """By class, when its first request is due."""
        self.last_answer_ns: dict[int, int] = {}
        """By class, the latest answer of what has come."""

    def start(self, traffic: int, spec: Traffic, now_ns: int, key: tuple[object, ...]) -> None:
        """A class begins. What is drawn at random is drawn by the key."""
        started = self._started[traffic] = _Class(traffic, spec, now_ns, key)
        self.last_answer_ns.setdefault(traffic, now_ns)
        if started.due is None:
            for _ in range(spec.most_users):
                self._add(now_ns, started)
        else:
            self._add_due(started)
        if started.there:
            first_ns = min(at for at, _, of_class in self._coming if of_class is started)
            self.began_ns.setdefault(traffic, first_ns)

    def stop(self, traffic: int) -> None:
        """No more of this class come."""
        if traffic in self._started:
            self._started[traffic].left = 0

    def comes(self, traffic: int) -> bool:
        """Whether more of this class may come."""
        one = self._started.get(traffic)
        return one is not None and one.left > 0 and one.there > 0

    def until(self, end_ns: float, awaited: Iterable[int] = ()) -> Iterator[Arrival]:
        """What comes before this time; ask for the next one when the last one was given.

        Where classes are `awaited`, it ends when nothing more of them will come.
        """
        coming, stream = self._coming, self._stream
        classes = tuple(awaited)
        while coming and coming[0][0] < end_ns:
            at, _, of_class = heappop(coming)
            of_class.there -= 1
            if not of_class.left:
                continue
            of_class.left -= 1
            traffic = of_class.traffic
            yield at, of_class.next_work_ns(), traffic
            answered = stream.answered_ns
            if answered > self.last_answer_ns[traffic]:
                self.last_answer_ns[traffic] = answered
            if of_class.due is not None:
                self._add_due(of_class)
            elif answered + of_class.pause_ns < of_class.ends_ns:
                self._add(answered + of_class.pause_ns, of_class)
            if classes and not any(map(self.comes, classes)):
                return

    def _add_due(self, started: _Class) -> None:
        assert started.due is not None
        due = next(started.due, None)
        if due is not None:
            self._add(started.began_ns + due, started)

    def _add(self, at_ns: int, started: _Class) -> None:
        self._order += 1
        started.there += 1
        heappush(self._coming, (at_ns, self._order, started))
