"""Functions that are to be called at a time, in the loop of the HTTP client.

Python's epoll waits in whole milliseconds. That is not exact enough for
arrivals at a planned time, because a late start counts as latency. A timerfd
wakes the loop to the microsecond.
"""

import time
from collections.abc import Callable
from heapq import heappop, heappush

from ipvsload.timerfd import TimerFd


class Timers:
    """A heap of functions, and a descriptor `fd` that is readable when the first is due.

    Register `fd` edge-triggered. The loop sets `asleep` while it waits for
    nothing but descriptors; a new timer then has to wake it.
    """

    def __init__(self) -> None:
        self._timer = TimerFd()
        self.fd = self._timer.fd
        self.asleep = False
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._armed_ns = 0
        self._lag_ns = 0

    def at(self, when_ns: int, function: Callable[[], None]) -> None:
        """Call `function`, which must not block, at that `time.monotonic_ns()`."""
        self._count += 1
        heappush(self._heap, (when_ns, self._count, function))
        if self.asleep and (not self._armed_ns or when_ns < self._armed_ns):
            self._arm(when_ns)

    def wake(self) -> None:
        """Make `fd` readable now."""
        self._arm(1)

    def arm_next(self) -> None:
        """Make `fd` readable when the first function is due."""
        if self._heap and self._heap[0][0] != self._armed_ns:
            self._arm(self._heap[0][0])

    def run_due(self) -> None:
        """Call what is due."""
        self._armed_ns = 0
        heap = self._heap
        now = time.monotonic_ns()
        if heap and heap[0][0] <= now:
            self._lag_ns = max(self._lag_ns, now - heap[0][0])
            while heap and heap[0][0] <= now:
                heappop(heap)[2]()

    def take_lag(self) -> int:
        """The longest that a function was called too late since this was last asked, in ns."""
        lag, self._lag_ns = self._lag_ns, 0
        return lag

    def close(self) -> None:
        """Call nothing more."""
        self.asleep = False
        self._heap.clear()
        self._timer.close()

    def _arm(self, when_ns: int) -> None:
        """Make `fd` readable at this `time.monotonic_ns()`, at once if it has passed."""
        self._armed_ns = when_ns
        self._timer.set(max(when_ns, 1))
