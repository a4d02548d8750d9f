"""A testbed, a load and a clock without a kernel, a process or time: for the engine of runs.

Time is a heap of things to happen. It goes on only when the run waits, and then
at once, so a run of ten seconds takes some milliseconds.
"""

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, ClassVar

from ipvsload.experiment.clock import News
from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.load.base import LoadListener
from ipvsload.record.clock_alignment import Alignment
from ipvsload.record.format import OccupancySample, Request, Sample, ServerOccupancy
from ipvsload.record.sidecar_stream import Settings
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import HttpTarget
from ipvsload.testbed.base import ServiceSpec, ServiceUnderTest, Target

KEY = "tcp 192.0.2.80:80"
SAMPLE_US = 100_000
SETTINGS = {
    "director": Settings(0, {"tcp": 900, "tcp_fin": 120, "udp": 300}, {"conn_reuse_mode": 1})
}


class VirtualTime:
    """A clock and an inbox in one; see ipvsload/experiment/clock.py."""

    def __init__(self) -> None:
        self._now_us = 0
        self._order = count()
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._news: deque[News] = deque()

    def now_us(self) -> int:
        return self._now_us

    def from_ns(self, monotonic_ns: int) -> int:
        return monotonic_ns // 1000

    def after(self, delay_us: int, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self._now_us + delay_us, next(self._order), happen))

    def step(self) -> None:
        """The next thing happens."""
        self._now_us, _, happen = heapq.heappop(self._events)
        happen()

    def put(self, news: News) -> None:
        self._news.append(news)

    def get(self, until_us: int | None = None) -> News:
        while not self._news:
            if until_us is None or (self._events and self._events[0][0] <= until_us):
                self.step()
            else:
                self._now_us = max(self._now_us, until_us)
                return None
        return self._news.popleft()

    def take_all(self) -> list[News]:
        taken = list(self._news)
        self._news.clear()
        return taken

    def run_in_background(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:
                self.put(error)
            else:
                self.put(None)

        self.after(0, run)


@dataclass
class SimulatedServer:
    address: str
    weight: int
    active: int = 0
    inactive: int = 0
    conns: int = 0

    def row(self) -> RealServer:
        return RealServer(
            self.address, self.weight, self.active, self.inactive, 0, self.conns, 0, 0, 0, 0
        )


class SimulatedTestbed:
    """One balancer, rr or lc, and its sidecar: what a run uses of a testbed."""

    kernel: Mapping[str, str] = {"release": "none", "provider": "model"}
    max_real_servers = 8
    exclusive = True
    packet_watch = None

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self._scheduler = "rr"
        self._turn = 0
        self.servers: list[SimulatedServer] = []
        self._follower: tuple[int, Callable[[Sample], None]] | None = None
        self._offset_us = -(10**12)  # of the sidecar's clock, until that is known
        self._sample()

    # The balancer

    missing: ClassVar[dict[str, str]] = {}

    def missing_balancers(self, balancers: Sequence[str]) -> dict[str, str]:
        return {name: self.missing[name] for name in balancers if name in self.missing}

    def begin(self, spec: ServiceSpec) -> ServiceUnderTest:
        self._scheduler, self._turn, self.servers = spec.balancer, -1, []
        joined = [(self.add_server(weight), weight) for weight in spec.weights]
        return ServiceUnderTest(Target(KEY, "192.0.2.80", 80), spec.balancer, joined)

    def add_server(self, weight: int) -> str:
        address = f"198.51.100.{11 + len(self.servers)}:80"
        self.servers.append(SimulatedServer(address, weight))
        return address

    def choose(self) -> SimulatedServer:
        if self._scheduler == "lc":
            newest_first = reversed(self.servers)
            return min(newest_first, key=lambda server: 256 * server.active + server.inactive)
        self._turn = (self._turn + 1) % len(self.servers)
        return self.servers[self._turn]

    def end(self) -> None:
        self.servers = []

    # What can be seen of it

    def tcp_timeouts(self) -> int:
        return 0

    def connection_servers(self, clients: Sequence[tuple[str, int]]) -> list[str | None]:
        return [None] * len(clients)

    hz = 1e6 / SAMPLE_US

    def follow(self, run: int, key: str, follower: Callable[[Any], None] | None) -> None:
        self._follower = (run, follower) if follower else None

    settings = SETTINGS

    def align(self) -> dict[str, Alignment]:
        self._time.step()  # it takes a moment, in which samples may come
        self._offset_us = 0
        return {"director": Alignment(0, 0)}

    def _sample(self) -> None:
        if self._follower:
            run, follower = self._follower
            rows = tuple(server.row() for server in self.servers)
            service = VirtualService(
                KEY, self._scheduler, 0, 0, sum(row.conns for row in rows), 0, 0, 0, 0, rows
            )
            now_us = self._time.now_us() + self._offset_us
            follower(Sample(run, "director", now_us, 0, (service,)))
        self._time.after(SAMPLE_US, self._sample)


@dataclass
class SimulatedClass:
    spec: Traffic
    left: int = 0
    started: bool = False
    requests: int = 0
    failures: int = 0
    inflight: int = 0
    users: int = 0
    running: bool = field(default=False)

    @property
    def done(self) -> bool:
        return self.started and not self.running and not self.inflight


class SimulatedLoad:
    """Closed classes with a budget; /delay/N takes N seconds, everything else 1 ms.

    /status/503 is answered with that, from the first server.
    """

    clocks: tuple[()] = ()

    def __init__(
        self,
        time: VirtualTime,
        testbed: SimulatedTestbed,
        traffic: Mapping[str, Traffic],
        target: HttpTarget,
        listener: LoadListener,
        _key: str,
    ) -> None:
        assert target == HttpTarget("192.0.2.80", 80)
        self._time, self._testbed, self._run = time, testbed, listener.run
        self._on_finished, self._on_done = listener.on_finished, listener.on_done
        self._ports = count(20_000)
        self.counts = {name: SimulatedClass(spec) for name, spec in traffic.items()}

    def start(self, name: str) -> None:
        one = self.counts[name]
        one.started = one.running = True
        one.users, one.left = one.spec.most_users, one.spec.requests or 0
        for _ in range(one.users):
            self._send(name)

    def stop(self, name: str) -> None:
        self.counts[name].left = 0

    def finish(self, grace: float, soon: bool = False) -> None:
        for name in self.counts:
            self.stop(name)
        while any(one.inflight for one in self.counts.values()):
            self._time.step()

    def overloads(self) -> list[str]:
        return []

    def close(self) -> None:
        pass

    def _send(self, name: str) -> None:
        one, start_us = self.counts[name], self._time.now_us()
        if not one.left:
            one.users -= 1
            if one.running and not one.inflight:
                one.running = False
                self._on_done(name)
            return
        one.left -= 1
        one.inflight += 1
        server, port = self._testbed.choose(), next(self._ports)
        server.active += 1
        server.conns += 1
        _, delayed, seconds = one.spec.path.partition("/delay/")
        took_us = round(float(seconds) * 1e6) if delayed else 1_000

        def answered() -> None:
            server.active -= 1
            server.inactive += 1
            one.inflight -= 1
            one.requests += 1
            failed = "/status/503" in one.spec.path and server is self._testbed.servers[0]
            one.failures += failed
            self._on_finished(
                Request(
                    self._run, name, start_us, start_us, took_us, 503 if failed else 200, 31,
                    "198.51.100.200", port, False, server.address, None,
                )
            )  # fmt: skip
            self._send(name)

        self._time.after(took_us, answered)


class SimulatedOccupancy:
    """Servers of two workers that say how busy they are, and one that has not joined."""

    workers = 2

    def __init__(self, time: VirtualTime, testbed: SimulatedTestbed) -> None:
        self._time, self._testbed = time, testbed
        self._follower: tuple[int, Callable[[OccupancySample], None]] | None = None
        self._tell()

    def follow(self, run: int, follower: Callable[[OccupancySample], None] | None) -> None:
        self._follower = (run, follower) if follower else None

    def _tell(self) -> None:
        if self._follower:
            run, follower = self._follower
            told = [(server.address, server.active) for server in self._testbed.servers]
            servers = (
                ServerOccupancy(
                    address, min(active, self.workers), max(0, active - self.workers), 0, 0, 0
                )
                for address, active in [*told, ("198.51.100.99:80", 0)]
            )
            follower(OccupancySample(run, self._time.now_us(), tuple(servers)))
        self._time.after(SAMPLE_US, self._tell)
