"""The testbed under Locust's command, its sidecar, and what is shown of them.

There is one in the process that Locust's page belongs to (the master, or the
only one). It outlives tests: a lab stays up between them, and its kernel goes
on being watched.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gevent
from gevent.lock import RLock
from gevent.socket import wait_read
from locust.runners import MasterRunner

from ipvsload.errors import TestbedError
from ipvsload.experiment.clock import Clock
from ipvsload.experiment.sidecar_reader import Sidecar
from ipvsload.locust_plugin.arguments import Options
from ipvsload.locust_plugin.live import LiveFeed
from ipvsload.locust_plugin.request_counter import RequestCounter, intervals
from ipvsload.locust_plugin.request_listener import counting
from ipvsload.record.format import Sample
from ipvsload.scenario.capabilities import Capability
from ipvsload.scenario.names import MAX_SERVERS
from ipvsload.testbed.base import Testbed
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.registry import given_testbed

if TYPE_CHECKING:
    from locust.env import Environment

logger = logging.getLogger(__name__)

_TRAFFIC_SECONDS = 0.25
_SILENCE_US = 5_000_000
_CLUSTER_SILENCE_US = 65_000_000
"""An API server may be away for a while; who follows its logs knows after a minute."""
_SPARE = 16
"""A lab has room for so many servers at least, for whoever scales by hand."""


class TestbedSession:
    """A testbed, its samples and the requests, for the page and for /metrics."""

    def __init__(self, environment: "Environment", options: Options) -> None:
        self._environment = environment
        self._options = options
        self.clock = Clock()
        self.feed = LiveFeed()
        self.meter = RequestCounter()
        self.samples: dict[str, Sample] = {}
        """The last sample by node."""
        self.trouble: TestbedError | None = None
        """What has broken and has not been mended since."""
        self.lock = RLock()
        """Whoever changes the balancer holds it: its agent answers one question at a time."""
        self._given = (
            given_testbed(options.testbed, options.place, options.hz, logger.info)
            if options.testbed != "lab"
            else None
        )
        self._testbed: Testbed | None = None
        self._sidecar: Sidecar | None = None
        self._on_trouble: Callable[[TestbedError], None] | None = None
        self._dead = False
        self._seen_us = 0
        self._guardian: Any = None
        self._counter = gevent.spawn(self._count)
        environment.events.request.add_listener(counting(self.meter))

    @property
    def testbed(self) -> Testbed:
        """What `ready` brought up."""
        assert self._testbed
        return self._testbed

    @property
    def lacks(self) -> Mapping[Capability, str]:
        """What the testbed cannot do, as far as it is known yet; see `Testbed.lacks`."""
        return self._given.lacks if self._given is not None else {}

    @property
    def sidecar(self) -> Sidecar | None:
        """Reads the table; None where there is no command that does."""
        return self._sidecar

    @property
    def up(self) -> bool:
        """Whether the kernel's table is being read."""
        return self._sidecar is not None and self._sidecar.alive

    def ready(self, servers: int, clients: int) -> None:
        """Have a testbed with so much room, and a living sidecar. Raises TestbedError."""
        with self.lock:
            broken = self._dead or (self._given is not None and self.trouble is not None)
            if self._testbed is None or broken or not self._fits(servers, clients):
                self._take_down()
                self._bring_up(servers, clients)
            if not self.up or self.trouble:
                self._open_sidecar()
            self.trouble = None
            self.feed.trouble("")

    def users(self) -> dict[str, int]:
        """How many users of each class run now, over all workers."""
        runner = self._environment.runner
        if isinstance(runner, MasterRunner):
            return dict(runner.reported_user_classes_count)
        return dict(runner.user_classes_count)

    @contextmanager
    def troubles(self, tell: Callable[[TestbedError], None]) -> Iterator[None]:
        """While a test goes on, what breaks is told."""
        self._on_trouble = tell
        try:
            yield
        finally:
            self._on_trouble = None

    def close(self) -> None:
        """Take everything down; calling it again does nothing."""
        with self.lock:
            self._counter.kill()
            self._take_down()

    def _fits(self, servers: int, clients: int) -> bool:
        testbed = self._testbed
        return not isinstance(testbed, LabTestbed) or testbed.has_room(servers, clients)

    def _bring_up(self, servers: int, clients: int) -> None:
        options = self._options
        if self._given is not None:
            self._testbed = self._given
        else:
            room = min(MAX_SERVERS, max(_SPARE, 2 * servers))
            kernel = options.place["kernel"]
            self._testbed = LabTestbed(kernel=kernel, servers=room, clients=clients)
        self._testbed.start()
        self._testbed.wait_ready()
        self._dead = False
        self._guardian = gevent.spawn(self._guard, self._testbed)

    def _open_sidecar(self) -> None:
        if self._sidecar is not None:
            self._sidecar.close()
            self._sidecar = None
        if self._options.testbed == "external" and not self._options.place["sidecar"]:
            return
        pipe = self.testbed.open_samples(self._options.hz)
        sidecar = Sidecar(pipe, self.clock, self._seen)
        try:
            sidecar.align()
        except TestbedError:
            sidecar.close()
            raise
        self._seen_us = self.clock.now_us()
        self._sidecar = sidecar

    def _take_down(self) -> None:
        if self._sidecar is not None:
            self._sidecar.close()
            self._sidecar = None
        if self._guardian is not None:
            self._guardian.kill()
        if self._testbed is not None:
            self._testbed.close()
            self._testbed = None
        self.samples.clear()

    # What happens by itself

    def _seen(self, item: Sample | BaseException) -> None:
        if isinstance(item, Sample):
            self.samples[item.node] = item
            self._seen_us = self.clock.now_us()
            self.feed.sampled(item)
        elif isinstance(item, TestbedError):
            self._tell(item)

    def _guard(self, testbed: Testbed) -> None:
        while True:
            wait_read(testbed.fileno())
            if error := testbed.broken():
                self._dead = True
                self._tell(TestbedError(str(error)))
                return

    def _tell(self, error: TestbedError) -> None:
        if self.trouble is None:
            logger.error("%s", error)
        self.trouble = error
        self.feed.trouble(str(error))
        if self._on_trouble is not None:
            self._on_trouble(error)

    def _count(self) -> None:
        """Requests of the last moment, from the meter to the page; and whether samples come."""
        last_us = self.clock.now_us()
        cluster = self._options.testbed == "kubernetes"
        patience = _CLUSTER_SILENCE_US if cluster else _SILENCE_US
        while True:
            gevent.sleep(_TRAFFIC_SECONDS)
            now_us = self.clock.now_us()
            delta = self.meter.take()
            self.feed.traffic(now_us, intervals(delta, (now_us - last_us) / 1e6))
            last_us = now_us
            if self.up and not self.trouble and now_us - self._seen_us > patience:
                self._tell(
                    TestbedError(f"no sample of the kernel's table for {patience / 1e6:.0f} s")
                )
