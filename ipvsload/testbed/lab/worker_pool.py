"""The workers of one real server and the queue in front of them, without burning a processor.

A worker that is busy is a timer. Requests are served first come, first served,
and each takes its work divided by the server's speed. What a worker does next
begins when its work was due to end, not when the timer was looked at: so however
late this process is, lateness does not add up, and the pool is the queue that a
model of it is (M/M/1, M/M/n).

A pool knows nothing of connections. What was taken is worked on to its end: see
`server_connection.py` for why.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from ipvsload.testbed.lab.due_call import DueCall


class Limits(NamedTuple):
    """What a server can do at once; `Capacity` of the scenario says it."""

    workers: int
    queue: int | None
    """How many requests may wait; None: any number."""
    overflow: int
    """The status that one gets which comes then; 0: its connection is reset."""


class WorkTimers(Protocol):
    """What a pool needs of `ExactTimers`."""

    def at(self, when_ns: int, function: Callable[[int], None]) -> DueCall:
        """Call `function` at that time, with that time."""

    def catch_up(self) -> int:
        """Call what is due by now. Returns the time now."""


class Job:
    """A request at a server: its work, and when it came, was begun and was done.

    Times are `time.monotonic_ns()`; `ended` is 0 until it is done.
    """

    __slots__ = ("_call", "_due", "_left", "_since", "arrived", "began", "done", "ended")

    def __init__(self, work_s: float, done: Callable[["Job"], None]) -> None:
        self.done = done
        self.arrived = self.began = self.ended = 0
        self._left = work_s * 1e9
        """Work in ns of a server with speed 1, as it was at `_since`."""
        self._since = self._due = 0
        self._call: DueCall | None = None


class WorkerPool:
    """The workers and the queue of one server.

    `requests`, `overflowed` and `busy_ns` are counted from its beginning.
    """

    def __init__(self, clock: WorkTimers, limits: Limits, speed: float) -> None:
        self._clock = clock
        self.limits = limits
        self._speed = speed
        self._paused = False
        self._serving: dict[Job, None] = {}
        """In the order of their beginnings, so that a model does the same each time."""
        self._queue: deque[Job] = deque()
        self._busy_ns = 0
        self.requests = 0
        self.overflowed = 0

    def take(self, job: Job) -> bool:
        """Begin a job, or queue it. False if there is no room: it has overflowed.

        A job that needs no time of a free worker has `ended` on return; for every
        other `done` is called later.
        """
        now = self._clock.catch_up()
        job.arrived = now
        if len(self._serving) < self.limits.workers and not self._queue:
            self.requests += 1
            if job._left or self._paused:
                self._begin(job, now)
            else:
                job.began = job.ended = now
            return True
        if self.limits.queue is not None and len(self._queue) >= self.limits.queue:
            self.overflowed += 1
            return False
        self.requests += 1
        self._queue.append(job)
        return True

    @property
    def busy(self) -> int:
        """How many workers are at work."""
        return len(self._serving)

    @property
    def queued(self) -> int:
        """How many requests wait."""
        return len(self._queue)

    def busy_ns(self, now: int) -> int:
        """The time that workers were at work, added up, until now."""
        # Work that is over and was not looked at yet has taken no longer than it is.
        ends = ((min(now, job._due or now), job.began) for job in self._serving)
        return self._busy_ns + sum(end - began for end, began in ends)

    def set_speed(self, speed: float) -> None:
        """Work takes its length by `speed` from now on, also what is left of work in hand."""
        self._change(speed, self._paused)

    def pause(self) -> None:
        """Stop all work, as when the server's process is stopped; nothing is lost."""
        self._change(self._speed, True)

    def resume(self) -> None:
        """Go on with it."""
        self._change(self._speed, False)

    def close(self) -> None:
        """Forget every job: none is done any more."""
        for job in self._serving:
            if job._call is not None:
                job._call.cancel()
        self._serving.clear()
        self._queue.clear()

    def _change(self, speed: float, paused: bool) -> None:
        now = self._clock.catch_up()
        for job in self._serving:
            if job._call is not None:
                job._call.cancel()
                job._left = max(0.0, job._left - (now - job._since) * self._speed)
        self._speed, self._paused = speed, paused
        for job in self._serving:
            self._go_on(job, now)

    def _begin(self, job: Job, now: int) -> None:
        job.began = now
        self._serving[job] = None
        self._go_on(job, now)

    def _go_on(self, job: Job, now: int) -> None:
        job._since = now
        job._call = None
        job._due = 0
        if not self._paused:
            job._due = now + round(job._left / self._speed)
            job._call = self._clock.at(job._due, lambda when: self._ended(job, when))

    def _ended(self, job: Job, when: int) -> None:
        self._serving.pop(job, None)
        self._busy_ns += when - job.began
        job.ended = when
        job._call = None
        if self._queue:
            following = self._queue.popleft()
            self._begin(following, max(when, following.arrived))
        job.done(job)
