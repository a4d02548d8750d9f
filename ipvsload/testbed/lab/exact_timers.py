"""Functions to be called at a time, in the real servers' event loop, to the microsecond.

An epoll's own timeout counts whole milliseconds: work of 20.4 ms would take 20 or 21. Each
function is told when it was due, so that what follows it can be planned from there: a late
call does not add up.
"""

import time
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

from ipvsload.testbed.lab.due_call import DueCall
from ipvsload.testbed.lab.server_loop import ServerLoop
from ipvsload.timerfd import TimerFd


class ExactTimers:
    """A heap of functions in an event loop. Times are `time.monotonic_ns()`."""

    def __init__(self, loop: ServerLoop) -> None:
        self._timer = TimerFd()
        self._heap: list[tuple[int, int, DueCall]] = []
        self._count = 0
        self._set_ns = 0
        self._running = False
        loop.watch(self._timer.fd, self._readable)

    def renew(self, loop: ServerLoop, kept: Iterable[DueCall]) -> None:
        """In a new process: call only these, by a timer of its own."""
        self._timer.close()
        self._timer = TimerFd()
        wanted = set(kept)
        self._heap = [entry for entry in self._heap if entry[2] in wanted]
        heapify(self._heap)
        self._running = False
        loop.watch(self._timer.fd, self._readable)
        self._set(self._heap[0][0] if self._heap else 0)

    def at(self, when_ns: int, function: Callable[[int], None]) -> DueCall:
        """Call `function` at that time, with that time."""
        call = DueCall(function)
        self._count += 1
        heappush(self._heap, (when_ns, self._count, call))
        if not self._running and (not self._set_ns or when_ns < self._set_ns):
            self._set(when_ns)
        return call

    def catch_up(self) -> int:
        """Call what is due by now, in order of its time. Returns the time now."""
        now = time.monotonic_ns()
        heap = self._heap
        if not self._running and heap and heap[0][0] <= now:
            self._run(now)
        return now

    def _readable(self) -> None:
        self._run(time.monotonic_ns())

    def _run(self, now: int) -> None:
        heap = self._heap
        self._running = True
        try:
            while heap and heap[0][0] <= now:
                when_ns, _, call = heappop(heap)
                call(when_ns)
        finally:
            self._running = False
        first = heap[0][0] if heap else 0
        if first != self._set_ns:
            self._set(first)

    def _set(self, when_ns: int) -> None:
        self._set_ns = when_ns
        self._timer.set(when_ns)
