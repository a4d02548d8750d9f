"""The workers and the queue of a server, on a clock that is moved by hand."""

from collections.abc import Callable
from heapq import heapify, heappop, heappush

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.testbed.lab.due_call import DueCall
from ipvsload.testbed.lab.worker_pool import Job, Limits, WorkerPool

S = 1_000_000_000


class ManualClock:
    """Calls what is due late, by `late_ns`, when it is asked for the time, as a busy process."""

    def __init__(self) -> None:
        self.now = 0
        self._heap: list[tuple[int, int, DueCall]] = []
        self._count = 0

    def at(self, when_ns: int, function: Callable[[int], None]) -> DueCall:
        self._count += 1
        call = DueCall(function)
        heappush(self._heap, (when_ns, self._count, call))
        return call

    def catch_up(self) -> int:
        while self._heap and self._heap[0][0] <= self.now:
            when, _, call = heappop(self._heap)
            if call.function:
                call.function(when)
        return self.now

    def go_to(self, now: int) -> None:
        self.now = now
        self.catch_up()


class Served:
    """A pool, and what became of each job."""

    def __init__(self, workers: int, queue: int | None = None, speed: float = 1.0) -> None:
        self.clock = ManualClock()
        self.pool = WorkerPool(self.clock, Limits(workers, queue, 503), speed)
        self.done: list[Job] = []

    def ask(self, at_s: float, work_s: float, *, room: bool = True) -> Job:
        """A job that comes then; there is room for it or not."""
        self.clock.now = max(self.clock.now, round(at_s * S))
        job = Job(work_s, self.done.append)
        assert self.pool.take(job) is room
        return job

    def until(self, seconds: float) -> None:
        self.clock.go_to(round(seconds * S))


def test_beyond_the_workers_it_waits_in_turn_and_beyond_the_queue_there_is_no_room() -> None:
    served = Served(workers=2, queue=1)
    first, second, third = (served.ask(0, work) for work in (1, 3, 1))
    served.ask(0, 1, room=False)
    pool = served.pool
    assert (pool.busy, pool.queued, pool.requests, pool.overflowed) == (2, 1, 3, 1)
    served.until(10)
    assert (third.began, third.ended) == (1 * S, 2 * S)
    assert [served.done.index(job) for job in (first, third, second)] == [0, 1, 2]
    assert (pool.busy, pool.queued, pool.busy_ns(10 * S)) == (0, 0, 5 * S)


def test_work_of_0_is_done_at_once_by_a_free_worker_and_in_its_turn_by_a_busy_one() -> None:
    served = Served(workers=1)
    quick = served.ask(0, 0)
    assert quick.ended == quick.arrived
    assert served.done == []  # on return, and not by a call
    served.ask(1, 2)
    quick = served.ask(2, 0)
    assert not quick.ended
    served.until(5)
    assert (quick.began, quick.ended) == (3 * S, 3 * S)


def test_work_takes_its_length_by_the_speed_also_what_is_left_of_it() -> None:
    served = Served(workers=1, speed=0.5)
    job = served.ask(0, 2)
    served.until(2)  # half of it is done
    served.pool.set_speed(0.1)
    served.until(5)  # 0.3 more
    served.pool.set_speed(7)
    served.until(100)
    assert abs(job.ended - (5 * S + 0.7 / 7 * S)) <= 1


def test_a_pause_keeps_what_is_there() -> None:
    served = Served(workers=1)
    job, waiting = served.ask(0, 2), served.ask(0, 1)
    served.until(1)
    served.pool.pause()
    served.until(50)
    assert (served.pool.busy, served.pool.queued) == (1, 1)
    served.pool.resume()
    served.until(100)
    assert (job.ended, waiting.ended) == (51 * S, 52 * S)


def test_after_close_nothing_is_done() -> None:
    served = Served(workers=1)
    served.ask(0, 1)
    served.ask(0, 1)
    served.pool.close()
    served.until(10)
    assert served.done == []
    assert (served.pool.busy, served.pool.queued) == (0, 0)


JOBS = st.lists(
    st.tuples(st.integers(0, 3_000), st.integers(0, 5_000), st.integers(0, 2_000)), max_size=40
)


@given(JOBS, st.integers(1, 4))
def test_each_job_begins_when_a_worker_is_free_however_late_the_process_looks(
    jobs: list[tuple[int, int, int]], workers: int
) -> None:
    """Against Kiefer and Wolfowitz's recursion: each takes the worker that is free first."""
    served = Served(workers)
    free = [0] * workers
    arrival, expected, found = 0, [], []
    for gap, work, looked_late in jobs:
        arrival += gap
        served.clock.now = arrival  # and nothing was looked at in between
        job = Job(work / 1e9, served.done.append)
        assert served.pool.take(job)
        found.append(job)
        heapify(free)
        began = max(arrival, heappop(free))
        heappush(free, began + work)
        expected.append((began, began + work))
        if looked_late:
            arrival += looked_late
            served.clock.go_to(arrival)
    served.clock.go_to(arrival + 10**9)
    assert [(job.began, job.ended) for job in found] == expected
    assert served.pool.busy_ns(served.clock.now) == sum(work for _, work, _ in jobs)
