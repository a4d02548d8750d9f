"""What a simulated run is told at a steady rate: directors' tables, and how busy servers are."""

from collections.abc import Callable, Mapping
from functools import partial

from ipvsload.experiment.clock import Follower
from ipvsload.ipvs.forwarding import MASQUERADING
from ipvsload.ipvs.sysctls import DECIDING_SYSCTLS, DEFAULT_TIMEOUTS
from ipvsload.ipvs_model.timer_wheel import SECOND_NS
from ipvsload.record.clock_alignment import Alignment
from ipvsload.record.format import OccupancySample, Sample, ServerOccupancy
from ipvsload.record.sidecar_stream import Settings
from ipvsload.simulate.model_testbed import ModelTestbed
from ipvsload.testbed.base import Target
from ipvsload.testbed.lab.due_call import DueCall


class ModelSamples:
    """Samples of every director, `hz` times a second, while somebody follows."""

    def __init__(self, testbed: ModelTestbed, hz: float) -> None:
        self.hz = hz
        self.settings: Mapping[str, Settings] = {}
        """What is set on each director, by its name."""
        self._testbed = testbed
        self._next = DueCall(lambda _: None)

    tells_connections = False

    def follow(
        self, run: int, key: str, follower: Follower | None, listed: Target | None = None
    ) -> None:
        """Hand samples to `follower` from now on, marked with the run's number."""
        self._next.cancel()
        if follower:
            self.settings = dict.fromkeys(self._testbed.nodes, self._set())
            self._sample(run, follower, self._testbed.time.now_ns)

    def look(self, *, connections: bool = False) -> None:
        """No time is lost by waiting for the next sample."""

    def align(self) -> dict[str, Alignment]:
        """All clocks are one."""
        return dict.fromkeys(self._testbed.nodes, Alignment(0, 0))

    def _set(self) -> Settings:
        spec = self._testbed.spec
        timeouts = {**DEFAULT_TIMEOUTS, **spec.settings.timeouts}
        direct = {} if spec.forwarding == MASQUERADING else {self._testbed.key: spec.forwarding}
        return Settings(
            self._testbed.time.now_ns,
            timeouts,
            {**DECIDING_SYSCTLS, **spec.settings.sysctls},
            forwardings=direct,
        )

    def _sample(self, run: int, follower: Follower, now_ns: int) -> None:
        testbed = self._testbed
        for place, node in enumerate(testbed.nodes):
            if testbed.time.ending:
                return
            service = testbed.directors.service(place, testbed.key, now_ns)
            follower(Sample(run, node, now_ns // 1000, 0, (service,)))
        next_ns = now_ns + round(SECOND_NS / self.hz)
        self._next = testbed.time.at(next_ns, partial(self._sample, run, follower))


class ModelOccupancy:
    """How busy the workers of all servers are, `hz` times a second, while somebody follows."""

    def __init__(self, testbed: ModelTestbed, hz: float) -> None:
        self._testbed, self._hz = testbed, hz
        self._next = DueCall(lambda _: None)

    def follow(self, run: int, follower: Callable[[OccupancySample], None] | None) -> None:
        """Hand it to `follower` from now on, marked with the run's number."""
        self._next.cancel()
        if follower:
            self._tell(run, follower, self._testbed.time.now_ns)

    def _tell(self, run: int, follower: Callable[[OccupancySample], None], now_ns: int) -> None:
        servers = tuple(
            ServerOccupancy(
                server.address,
                pool.busy,
                pool.queued,
                pool.requests,
                pool.overflowed,
                pool.busy_ns(now_ns) // 1000,
            )
            for server in self._testbed.servers
            if (pool := server.pool) is not None
        )
        follower(OccupancySample(run, now_ns // 1000, servers))
        next_ns = now_ns + round(SECOND_NS / self._hz)
        self._next = self._testbed.time.at(next_ns, partial(self._tell, run, follower))
