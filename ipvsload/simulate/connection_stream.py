"""Any number of connections through directors to servers, of which only counts are kept.

The fast half of simulation: each connection is one request, a server works first come, first
served, and nothing goes wrong. Then it is known when a request will be answered as soon as it is
given to a server (Kiefer and Wolfowitz, "On the theory of queues with many servers",
Transactions of the AMS 78, 1955): it takes the worker that is free first. So the only thing
that must be awaited is a connection's end.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop, heappush, heapreplace
from itertools import islice
from typing import NamedTuple

import numpy as np

from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.server_list import Counts
from ipvsload.simulate.calendar_queue import CalendarQueue
from ipvsload.simulate.latency_histogram import LatencyHistogram
from ipvsload.simulate.remembered_counts import RememberedCounts

LOOK_NS = 100_000_000
_BATCH = 16_384


Arrival = tuple[int, int, int]
"""A request: when it is sent, in ns; its work in ns of a server whose speed is 1; its class."""


class Origin(NamedTuple):
    """Where a connection comes from, and which director it goes through, from 0 on."""

    client: Client
    director: int


class ServerCapacity(NamedTuple):
    """What each server can do; `queue` is how many may wait, None for any number."""

    workers: int
    queue: int | None = None
    speeds: Sequence[float] = ()
    """One a server; without them each has 1."""


class ClassFigures:
    """What is known of one class's requests. Of the last two kinds are those that failed."""

    def __init__(self, servers: int) -> None:
        self.latency = LatencyHistogram()
        """Of answered requests, in ns."""
        self.queue = LatencyHistogram()
        """What they waited for a worker, in ns."""
        self.by_server: Counts = np.zeros(servers, np.int64)
        """Answered requests by the server's number."""
        self.overflowed: Counts = np.zeros(servers, np.int64)
        """By the server's number, those that found its queue full."""
        self.without_server = 0


class ConnectionStream:
    """Servers and their directors while connections come.

    The directors have the same servers. A request is at its server `way_ns` after it was
    sent, and its answer takes as long; the director counts the connection as active from
    when it is sent until the server has answered. `origin` says where the next connection
    comes from; without it all come from one port, through the first director. `classes` is how
    many classes of traffic there are. Each `look_ns` the counts are looked at for `active_max` and
    `inactive_max`. Without a capacity a server serves any number at once.
    """

    def __init__(
        self,
        directors: Sequence[RememberedCounts],
        capacity: ServerCapacity | None = None,
        *,
        classes: int = 1,
        origin: Callable[[], Origin] | None = None,
        way_ns: int = 0,
        look_ns: int = LOOK_NS,
    ) -> None:
        self.directors = directors
        self.capacity = capacity
        self.now_ns = self.connections = 0
        self.answered_ns = 0
        """When the request that came last has its answer: a closed user waits for it."""
        servers = self._servers = len(directors[0].servers)
        self.figures = [ClassFigures(servers) for _ in range(classes)]
        self.busy_ns = np.zeros(servers)
        """By server, how long its workers have worked, added up."""
        self.active_max: Counts = np.zeros(servers, np.int64)
        self.inactive_max: Counts = np.zeros(servers, np.int64)
        """By server, the most at any look."""
        self.active_most = self.inactive_most = self.busy_most = self.queued_most = 0
        """The same of all servers together; the last two of their workers and queues."""
        self._origin = origin
        self._way, self._look_ns = way_ns, look_ns
        self._free = [[0] * capacity.workers for _ in range(servers)] if capacity else []
        """By server, a heap of when each of its workers will be free."""
        self._present: list[list[int]] = [[] for _ in range(servers)]
        """By server, where its queue has an end, a heap of when each of its requests will end."""
        self._next_look = self._due = 0
        self._ends = CalendarQueue(len(directors) * servers)
        """Of each connection that is there, its director and server in one number."""

    def play(self, arrivals: Iterable[Arrival]) -> None:
        """Have all of these come, in the order of time. Each is taken when its time has come."""
        coming = iter(arrivals)
        while self.play_some(coming):
            pass

    def finish(self) -> None:
        """Have every connection end that has not."""
        while self._ends:
            self.advance(max(self.now_ns + self._look_ns, self._ends.earliest_ns))
        self._look()

    def play_some(self, coming: Iterator[Arrival]) -> int:
        """Have some thousands of them come. Returns how many did."""
        # Flat, and with few calls: each costs a twentieth of all that a connection takes.
        directors, origin, capacity = self.directors, self._origin, self.capacity
        free, way, servers = self._free, self._way, self._servers
        take, put = self._ends.take, self._ends.put
        speeds = capacity.speeds if capacity else ()
        bounded = capacity is not None and capacity.queue is not None
        several = len(directors) > 1
        director, client = 0, Client("192.0.2.101", 0)
        choose, ended = directors[0].choose, directors[0].ended
        numbers, kinds, latencies, waits = array("q"), array("q"), array("q"), array("q")
        at, failed = self.now_ns, 0
        for at, work, traffic in islice(coming, _BATCH):
            if at >= self._due:
                self.advance(at)
            for which in take(at):
                if several:
                    directors[which // servers].ended(which % servers)
                else:
                    ended(which)
            if origin is not None:
                client, director = origin()
                choose = directors[director].choose
            number = choose(client)
            if number is None:
                self.figures[traffic].without_server += 1
                self.answered_ns = at + way
                failed += 1
                continue
            begin = at + way
            if bounded and self._full(number, begin):
                end = begin
                self.figures[traffic].overflowed[number] += 1
                failed += 1
            else:
                if free:
                    workers = free[number]
                    if workers[0] > begin:
                        begin = workers[0]
                    end = begin + (round(work / speeds[number]) if speeds else work)
                    heapreplace(workers, end)
                    if bounded:
                        heappush(self._present[number], end)
                else:
                    end = begin + work
                numbers.append(number)
                kinds.append(traffic)
                latencies.append(end - at)
                waits.append(begin - at)
            put(end, director * servers + number)
            self.answered_ns = end + way
        self.now_ns = at
        self._count(*(np.frombuffer(one, np.int64) for one in (numbers, kinds, latencies, waits)))
        came = len(numbers) + failed
        self.connections += came
        return came

    def _full(self, number: int, now_ns: int) -> bool:
        assert self.capacity is not None
        present = self._present[number]
        while present and present[0] <= now_ns:
            heappop(present)
        return len(present) >= self.capacity.workers + (self.capacity.queue or 0)

    def advance(self, now_ns: int) -> None:
        """Time goes on until now: what ends by then ends, and is forgotten when it is due."""
        while self._due <= now_ns:
            self.now_ns = self._due
            self._end(self._due)
            if self._next_look <= self._due:
                self._look()
                # Until something happens again all looks would be alike.
                quiet = min(self._ends.earliest_ns, now_ns)
                self._next_look = max(self._due + self._look_ns, quiet)
            for one in self.directors:
                if one.next_change <= self._due:
                    one.advance(self._due)
            self._due = min(self._next_look, *(one.next_change for one in self.directors))
        self.now_ns = now_ns
        self._end(now_ns)

    def _end(self, now_ns: int) -> None:
        for which in self._ends.take(now_ns):
            self.directors[which // self._servers].ended(which % self._servers)

    def _look(self) -> None:
        # By number, which is the other way round.
        active = np.sum([one.servers.active[::-1] for one in self.directors], axis=0)
        inactive = np.sum([one.servers.inactive[::-1] for one in self.directors], axis=0)
        np.maximum(self.active_max, active, out=self.active_max)
        np.maximum(self.inactive_max, inactive, out=self.inactive_max)
        self.active_most = max(self.active_most, int(active.sum()))
        self.inactive_most = max(self.inactive_most, int(inactive.sum()))
        if self.capacity is not None:
            busy = np.minimum(active, self.capacity.workers)
            self.busy_most = max(self.busy_most, int(busy.sum()))
            self.queued_most = max(self.queued_most, int((active - busy).sum()))

    def _count(self, numbers: Counts, kinds: Counts, latencies: Counts, waits: Counts) -> None:
        self.busy_ns += np.bincount(numbers, latencies - waits, self._servers)
        for traffic, figures in enumerate(self.figures):
            mine = kinds == traffic
            figures.by_server += np.bincount(numbers[mine], minlength=self._servers)
            figures.latency.add(latencies[mine] + self._way)
            figures.queue.add(waits[mine] - self._way)
