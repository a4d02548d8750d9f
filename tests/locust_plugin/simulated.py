"""A balancer that only exists in memory, for what the page shows of one.

It balances as the kernel does, coarsely: rr in turn, all others to the server
with the fewest connections; counters move every two seconds. Ten long requests
are always there, on the first server if there are two.
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from itertools import count

from ipvsload.errors import TestbedError, UsageError
from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.load.connection_watch import ConnectionEnd
from ipvsload.locust_plugin.live import LiveFeed, TrafficInterval
from ipvsload.locust_plugin.live.live_prediction import LivePrediction
from ipvsload.locust_plugin.live.prediction_basis import PredictionBasis
from ipvsload.record.format import OccupancySample, Sample, ServerOccupancy
from ipvsload.scenario.actions import PAGE_ACTIONS
from ipvsload.scenario.actions.base import Action
from ipvsload.scenario.server_conditions import (
    KILLED,
    Conditions,
    ServerFault,
    after_fault,
    at_speed,
)

SERVICE = "tcp 192.0.2.80:81"
CLIENT = "192.0.2.101"
STEP_US = 100_000
FORGETS_US = 20_000_000


def address(number: int) -> str:
    return f"198.51.{100 + number // 200}.{10 + number % 200}:80"


class Real:
    """A real server: what the table has of it, and what is to come."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.address = address(number)
        self.weight = 1
        self.active = 0
        self.closed: deque[int] = deque()
        self.conns = 0
        self.counted = 0


class Balancer:
    """Steps of 100 ms; what happens in each is told to `feed`."""

    def __init__(self, feed: LiveFeed, servers: int, workers: int = 0) -> None:
        self.feed = feed
        feed.prediction = self.prediction = LivePrediction(
            lambda node, key: None, feed.prediction_changed
        )
        self._ports = count(1)
        self.workers = workers
        """Of each server; 0 where they serve any number at once, and say nothing."""
        self.now_us = 5_000_000
        self.scheduler = "rr"
        self.weights = {"Long": 1, "Short": 9}
        self.reals: list[Real] = []
        self.last: Sample | None = None
        self.silent = False
        self._turn = 0
        self._joined = 0
        self._conditions: dict[str, Conditions] = {}
        self._ends: deque[tuple[int, Real, int]] = deque()
        self._random = random.Random(7)
        self._served: dict[str, dict[str, int]] = {"Long": {}, "Short": {}}
        self._wanted = servers
        self.running = False

    def begin(self) -> None:
        """A test begins."""
        self.feed.begin(
            self.now_us,
            title="skew",
            scheduler="rr",
            service=SERVICE,
            classes=["Long", "Short"],
            basis=PredictionBasis(),
        )
        self.scheduler = "rr"
        self.reals, self._joined, self._conditions = [], 0, {}
        self._ends.clear()
        self.scale(1 if self._wanted == 2 else self._wanted)
        self.running = True
        self._began = self.now_us
        self.feed.mark(self.now_us, "start long")
        for _ in range(10 if self._wanted == 2 else 5 * self._wanted):
            self._connect("Long", self._random.randrange(3_900_000, 4_100_000))

    def end(self, verdict: str = "") -> None:
        self.running = False
        self.feed.end(self.now_us, verdict)

    def step(self) -> None:
        """100 ms pass."""
        self.now_us += STEP_US
        if self.running:
            self._load()
        if not self.silent:
            self._sample()
        while self.prediction.work():
            pass

    def _load(self) -> None:
        since = self.now_us - self._began
        if since == 3_000_000 and self._wanted == 2 and len(self.reals) == 1:
            self.feed.mark(self.now_us, "scale to 2")
            self.scale(2)
        if since == 5_000_000:
            self.feed.mark(self.now_us, "start short")
        while self._ends and self._ends[0][0] <= self.now_us:
            _, real, port = self._ends.popleft()
            self._close(port)
            real.active -= 1
            real.closed.append(self.now_us)
            self._connect("Long", self._random.randrange(3_000_000, 6_000_000))
        if since >= 5_000_000:
            many = len(self.reals) > 8
            for _ in range(self._random.randrange(6, 14) * (10 if many else 1)):
                real = self._choose()
                real.conns += 1
                real.closed.append(self.now_us)
                self._close(self._open())
                self._count("Short", real)
        for real in self.reals:
            while real.closed and real.closed[0] < self.now_us - FORGETS_US:
                real.closed.popleft()
            if (self.now_us // STEP_US) % 20 == 0:
                real.counted = real.conns
        if (self.now_us // STEP_US) % 3 == 0:
            self._tell_traffic(0.3)

    def _connect(self, name: str, lasts_us: int) -> None:
        real = self._choose()
        real.active += 1
        real.conns += 1
        self._count(name, real)
        self._ends.append((self.now_us + lasts_us, real, self._open()))
        self._ends = deque(sorted(self._ends, key=lambda end: end[0]))

    def _open(self) -> int:
        """A connection begins; the port that it has."""
        port = next(self._ports)
        self.prediction.opened(CLIENT, port, self.now_us * 1000)
        return port

    def _close(self, port: int) -> None:
        self.prediction.ended(CLIENT, port, self.now_us * 1000, ConnectionEnd.CLOSED)

    def _choose(self) -> Real:
        able = [real for real in self.reals if real.weight] or self.reals
        if len(able) > 8 and self.scheduler == "rr":  # clients of unequal appetite
            return able[min(len(able) - 1, int(self._random.expovariate(3) * len(able)))]
        if self.scheduler == "rr":
            self._turn += 1
            return able[self._turn % len(able)]
        return min(able, key=lambda real: real.active * 256 + len(real.closed))

    def _count(self, name: str, real: Real) -> None:
        counts = self._served.setdefault(name, {})
        counts[real.address] = counts.get(real.address, 0) + 1

    def _tell_traffic(self, seconds: float) -> None:
        intervals = {}
        for name, counts in self._served.items():
            total = sum(counts.values())
            base = 4000 if name == "Long" else 2
            p50 = base * self._random.uniform(0.9, 1.2)
            if total:
                refused = sum(
                    counts.get(address, 0)
                    for address, conditions in self._conditions.items()
                    if KILLED in conditions
                )
                intervals[name] = TrafficInterval(
                    total / seconds, refused / seconds, p50, p50 * 2.5, counts,
                    {"refused": refused} if refused else {},
                    queue_p50_ms=p50 / 4 if self.workers else None,
                    queue_p95_ms=p50 * 2 if self.workers else None,
                )  # fmt: skip
        self._served = {}
        self.feed.traffic(self.now_us, intervals)

    def _sample(self) -> None:
        rows = [
            RealServer(r.address, r.weight, r.active, len(r.closed), 0, r.counted, 0, 0, 0, 0)
            for r in self.reals
        ]
        service = VirtualService(SERVICE, self.scheduler, 0, 0, 0, 0, 0, 0, 0, tuple(rows))
        self.last = Sample(1, "director", self.now_us, 100, (service,))
        self.feed.sampled(self.last)
        if self.workers:
            self.feed.occupied(OccupancySample(1, self.now_us, tuple(map(self._occupancy, rows))))

    def _occupancy(self, row: RealServer) -> ServerOccupancy:
        busy = min(row.active, self.workers)
        return ServerOccupancy(row.address, busy, row.active - busy, 0, 0, 0)

    def scale(self, servers: int) -> None:
        while len(self.reals) < servers:
            self._joined += 1
            real = Real(self._joined)
            self.reals.append(real)
            self.feed.joined(real.number, real.address, real.weight)
        del self.reals[servers:]

    # Controls

    def offers(self) -> dict[str, str]:
        reason = "" if self.running else "no test is running: start one on Locust's page"
        kill = reason or ("" if self._wanted == 2 else "this balancer cannot do that")
        return dict.fromkeys(PAGE_ACTIONS, reason) | {"kill": kill}

    def mix(self) -> dict[str, int]:
        return self.weights if self.running else {}

    def carry_out(self, action: Action) -> str:
        if not self.running:
            raise UsageError("no test is running: start one on Locust's page")
        text = action.carry_out(self)
        self.feed.mark(self.now_us, text)
        return text

    def start(self, traffic_class: str) -> None:
        raise AssertionError(traffic_class)

    stop = start

    def remove(self, server: int) -> None:
        raise AssertionError(server)

    def set_scheduler(self, scheduler: str) -> None:
        if scheduler == "twos":
            raise TestbedError("this kernel has no scheduler twos")
        self.scheduler = scheduler

    def reweigh(self, server: int, weight: int) -> None:
        self._real(server).weight = weight

    def fault(self, server: int, fault: ServerFault) -> None:
        address = self._real(server).address
        self._suffers(address, after_fault(self._conditions.get(address, ()), fault))

    def set_speed(self, server: int, speed: float) -> None:
        address = self._real(server).address
        self._suffers(address, at_speed(self._conditions.get(address, ()), speed))

    def _suffers(self, address: str, conditions: Conditions) -> None:
        self._conditions[address] = conditions
        self.feed.suffers(self.now_us, address, conditions)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """The charts need no flapping server."""

    def burst(self, requests: int, seconds: float) -> None:
        for _ in range(requests):
            self._connect("Long", int(seconds * 1e6))

    def set_mix(self, weights: Mapping[str, int]) -> Mapping[str, int]:
        self.weights = {**self.weights, **weights}
        return self.weights

    def _real(self, number: int) -> Real:
        for real in self.reals:
            if real.number == number:
                return real
        raise UsageError(f"there is no server {number} now")
