"""The testbed under Locust's command, its sidecar, and what is shown of them.

The process that has Locust's page (the master, or the only one) has one session.
It outlives tests: a lab stays up between them, and its table is still read.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import gevent
from gevent.lock import RLock
from locust.env import Environment

from ipvsload.errors import IpvsloadError, TestbedError
from ipvsload.experiment.clock import Seen
from ipvsload.experiment.interruptions import failure_watcher
from ipvsload.experiment.monotonic_clock import MonotonicClock
from ipvsload.experiment.occupancy_reader import OccupancyReader
from ipvsload.experiment.sidecar_reader import SidecarReader
from ipvsload.locust_plugin.arguments import Options
from ipvsload.locust_plugin.live import LiveFeed
from ipvsload.locust_plugin.metrics.request_counter import RequestCounter, intervals
from ipvsload.locust_plugin.metrics.request_listener import RequestListener
from ipvsload.record.format import OccupancySample, Sample
from ipvsload.record.sidecar_stream import NodeLost
from ipvsload.scenario.capabilities import Capability
from ipvsload.scenario.names import MAX_SERVERS
from ipvsload.scenario.service import Service
from ipvsload.testbed.base import Testbed
from ipvsload.testbed.kind import TestbedRequest
from ipvsload.testbed.registry import TESTBEDS

if TYPE_CHECKING:
    from ipvsload.locust_plugin.live.live_prediction import LivePrediction
    from ipvsload.replay.told_settings import ToldSettings

logger = logging.getLogger(__name__)

_TRAFFIC_SECONDS = 0.25
_PREDICTION_SECONDS = 0.01, 0.05
"""How long the prediction rests while connections wait for it, and else."""
_SPARE = 16
"""There is room for so many servers at least, so that people can scale."""


class TestbedSession:
    """A testbed, its samples and the requests, for the page and for /metrics."""

    def __init__(self, environment: Environment, options: Options) -> None:
        self.environment, self._options = environment, options
        self.clock = MonotonicClock()
        self.feed = LiveFeed()
        self.counter = RequestCounter()
        self.samples: dict[str, Sample] = {}
        """The last sample by node."""
        self.occupancy_sample: OccupancySample | None = None
        """What the real servers said of themselves last."""
        self.trouble: TestbedError | None = None
        """What has broken since the last `ready`."""
        self.lock = RLock()
        """Hold it to change the balancer: its agent answers one question at a time."""
        self._kind = TESTBEDS[options.testbed]
        self._service = Service()
        self.testbed = self._make(servers=1)
        """What `ready` brought up; before that, one that has not been started."""
        self.sidecar: SidecarReader | None = None
        """What reads the kernel's table; None where there is no command that does."""
        self.occupancy: OccupancyReader | None = None
        """What reads what real servers tell of themselves; None where they do not."""
        self._on_trouble: Callable[[TestbedError], None] | None = None
        self._seen_us = 0
        self._testbed_watcher = gevent.Greenlet()
        """Runs for as long as the testbed is up."""
        self._by_itself = [gevent.spawn(self._pass_requests_on)]
        if environment.web_ui is not None:
            # The model's numpy is imported only where somebody may look.
            from ipvsload.locust_plugin.live.live_prediction import LivePrediction

            self.feed.prediction = LivePrediction(self._told, self.feed.prediction_changed)
            self._by_itself.append(gevent.spawn(self._predict, self.feed.prediction))
        environment.events.request.add_listener(RequestListener(self.counter))

    @property
    def lacks(self) -> Mapping[Capability, str]:
        """What the testbed cannot do, as far as that is known yet."""
        return self.testbed.lacks

    @property
    def up(self) -> bool:
        """Whether the kernel's table is being read."""
        return self.sidecar is not None and self.sidecar.alive

    def ready(self, servers: int, service: Service) -> None:
        """Have a testbed with so much room for such a service, and its sidecar, up.

        Raises TestbedError.
        """
        with self.lock:
            broken = not self._testbed_watcher or (self.trouble and not self._kind.restarts_sidecar)
            if broken or not self._fits(servers, service):
                self._take_down()
                self._bring_up(servers, service)
            if not self.up or self.trouble:
                self._open_sidecar()
            self.trouble = None
            self.feed.trouble("")

    @contextmanager
    def troubles(self, tell: Callable[[TestbedError], None]) -> Iterator[None]:
        """Call `tell` with whatever breaks meanwhile."""
        self._on_trouble = tell
        try:
            yield
        finally:
            self._on_trouble = None

    def close(self) -> int | None:
        """Take everything down. An error in that is logged, and its exit status returned.

        Calling it again does nothing.
        """
        with self.lock:
            gevent.killall(self._by_itself)
            try:
                self._take_down()
            except IpvsloadError as error:
                logger.error("%s", error)
                return error.exit_status
        return None

    def _fits(self, servers: int, service: Service) -> bool:
        alike = "clients" in self.lacks or service.wiring == self._service.wiring
        return alike and servers <= self.testbed.max_real_servers

    def _make(self, servers: int) -> Testbed:
        options = self._options
        room = min(MAX_SERVERS, max(_SPARE, 2 * servers))
        return self._kind.make(
            TestbedRequest(
                options.testbed_options, room, self._service, (), options.hz, logger.info
            )
        )

    def _bring_up(self, servers: int, service: Service) -> None:
        self._service = service
        self.testbed = self._make(servers)
        self.testbed.start()
        self.testbed.wait_ready()
        self._testbed_watcher = failure_watcher(self.testbed, self._testbed_broke)
        if pipe := self.testbed.open_occupancy(self._options.hz):
            self.occupancy = OccupancyReader(pipe, self.clock, self._occupied)

    def _open_sidecar(self) -> None:
        self._close_sidecar()
        if not self.testbed.has_samples:
            return
        pipe = self.testbed.open_samples(self._options.hz)
        sidecar = SidecarReader(pipe, self.clock, self._seen)
        try:
            sidecar.align()
        except TestbedError:
            sidecar.close()
            raise
        self._seen_us = self.clock.now_us()
        self.sidecar = sidecar

    def _close_sidecar(self) -> None:
        if self.sidecar is not None:
            self.sidecar.close()
            self.sidecar = None

    def _take_down(self) -> None:
        self._close_sidecar()
        if self.occupancy is not None:
            self.occupancy.close()
            self.occupancy = None
            self.occupancy_sample = None
        self._testbed_watcher.kill()
        self.testbed.close()
        self.samples.clear()

    # What happens by itself

    def _seen(self, item: Seen) -> None:
        if isinstance(item, Sample):
            self.samples[item.node] = item
            self._seen_us = self.clock.now_us()
            self.feed.sampled(item)
        elif isinstance(item, NodeLost):
            self.samples.pop(item.node, None)
        elif isinstance(item, TestbedError):
            self._tell(item)

    def _occupied(self, sample: OccupancySample) -> None:
        self.occupancy_sample = sample
        self.feed.occupied(sample)

    def _told(self, node: str, key: str) -> "ToldSettings | None":
        """What is set on a node for the service of this key."""
        from ipvsload.replay.told_settings import ToldSettings  # numpy, as above

        found = self.sidecar.settings.get(node) if self.sidecar else None
        if found is None:
            return None
        forwarding = found.forwardings.get(key, "")
        return ToldSettings(found.timeouts, found.sysctls, forwarding, found.ticks)

    def _predict(self, prediction: "LivePrediction") -> None:
        while True:
            busy, idle = _PREDICTION_SECONDS
            gevent.sleep(busy if prediction.work() else idle)

    def _testbed_broke(self, error: Exception) -> None:
        self._tell(TestbedError(str(error)))

    def _tell(self, error: TestbedError) -> None:
        if self.trouble is None:
            logger.error("%s", error)
        self.trouble = error
        self.feed.trouble(str(error))
        if self._on_trouble is not None:
            self._on_trouble(error)

    def _pass_requests_on(self) -> None:
        """Pass on the requests of each short interval, and notice when no samples come."""
        last_us = self.clock.now_us()
        silence_us = self._kind.max_silence_s * 1e6
        while True:
            gevent.sleep(_TRAFFIC_SECONDS)
            now_us = self.clock.now_us()
            delta = self.counter.take()
            self.feed.traffic(now_us, intervals(delta, (now_us - last_us) / 1e6))
            last_us = now_us
            if self.up and not self.trouble and now_us - self._seen_us > silence_us:
                self._tell(
                    TestbedError(f"no sample of the kernel's table for {silence_us / 1e6:.0f} s")
                )
