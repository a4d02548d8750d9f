"""A test whose users come and go as people say on Locust's page.

Nothing is planned and nothing is judged: people change users, weights,
schedulers and servers while they look at the charts.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import gevent
from locust.env import Environment

from ipvsload.errors import InvalidRunError, IpvsloadError, TestbedError, UsageError
from ipvsload.experiment.clock import Seen
from ipvsload.experiment.run_servers import RunServers
from ipvsload.experiment.run_state import RunState
from ipvsload.ipvs.keys import join_endpoint
from ipvsload.load.locust_internals import apply_weights
from ipvsload.load.users import longest_timeout
from ipvsload.locust_plugin.arguments import Options
from ipvsload.locust_plugin.generators import Generators
from ipvsload.locust_plugin.load_tests.locust_test import offered, prediction_basis
from ipvsload.locust_plugin.testbed_session import TestbedSession
from ipvsload.record.format import Sample
from ipvsload.record.sidecar_stream import NodeLost
from ipvsload.scenario.actions.base import Action
from ipvsload.scenario.service import Service
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.registry import TESTBEDS

logger = logging.getLogger(__name__)

_SERVERS, _CLIENTS = 2, 1
_PATIENCE = 2
"""Seconds that Locust's stop may take without a word; a frozen server never answers."""


def service_at_start(options: Options) -> Service:
    """The virtual service that such a test begins with."""
    return Service(servers=options.servers or _SERVERS, clients=options.clients or _CLIENTS)


class InteractiveTest:
    """Begins a virtual service, and sends Locust's users to it. Raises IpvsloadError.

    `fail` ends the test with an error.
    """

    over = False
    status = None

    def __init__(
        self,
        session: TestbedSession,
        options: Options,
        generators: Generators,
        fail: Callable[[IpvsloadError], None],
    ) -> None:
        self._session, self._generators, self._fail = session, generators, fail
        self._environment = environment = session.environment
        asked = service_at_start(options)
        session.ready(asked.servers, asked)
        testbed = session.testbed
        generators.connect_users(testbed.socket_broker)
        scheduler = options.scheduler or TESTBEDS[options.testbed].default_balancer
        weights = () if "scale" in testbed.lacks else (1,) * asked.servers
        with session.lock:
            service = testbed.begin(ServiceSpec(scheduler, weights))
        self._state = RunState({})
        self._delayed: list[gevent.Greenlet] = []
        self._target = _Target(
            testbed,
            self._state,
            self._joined,
            lambda _, *suffers: session.feed.suffers(session.clock.now_us(), *suffers),
            self._later,
            generators.burst,
            environment,
        )
        target = service.target
        environment.host = f"http://{join_endpoint(target.host, target.port)}"
        classes = [user_class.__name__ for user_class in environment.user_classes]
        session.feed.begin(
            session.clock.now_us(),
            title=environment.locustfile or "",
            scheduler=service.balancer,
            service=target.key,
            classes=classes,
            basis=prediction_basis(
                testbed, generators.unwatched, service.forwarding, service.netmask
            ),
        )
        self._target.register(service.servers)
        # Locust sends it to workers each time that it changes the number of users.
        environment.stop_timeout = environment.stop_timeout or longest_timeout(
            environment.user_classes
        )
        if session.sidecar is not None:
            session.sidecar.follow(1, target.key, self._sampled)

    def carry_out(self, action: Action) -> str:
        """Carry an action out, and say what it did. Raises IpvsloadError."""
        with self._session.lock:
            text = action.carry_out(self._target)
        self._session.feed.mark(self._session.clock.now_us(), text)
        return text

    def offers(self) -> dict[str, str]:
        """See `LocustTest`."""
        return offered(self._session.lacks, mix="")

    def mix(self) -> dict[str, int]:
        """See `LocustTest`."""
        return {one.__name__: one.weight for one in self._environment.user_classes}

    def worker_lost(self, reason: str) -> None:
        """Fail the test: nobody knows what the worker had in flight."""
        self._fail(InvalidRunError(reason))

    def stopping(self) -> None:
        """Wait until the requests in flight have ended, also those of workers."""
        most = self._environment.stop_timeout
        said = "waiting for the answers to what was sent, %g s at most"
        self._delayed.append(gevent.spawn_later(_PATIENCE, logger.info, said, most))
        self._generators.drain()

    def stop(self) -> None:
        """Take the service down, now that its users have gone."""
        session = self._session
        gevent.killall(self._delayed)
        if session.sidecar is not None:
            session.sidecar.follow(1, "", None)
        session.feed.end(session.clock.now_us(), "")
        try:
            with session.lock:
                session.testbed.end()
        except TestbedError:
            pass  # the session has already said that it broke

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._delayed.append(gevent.spawn_later(seconds, self._do_later, act))

    def _do_later(self, act: Callable[[], None]) -> None:
        try:
            with self._session.lock:
                act()
        except UsageError:
            pass  # the server has left since
        except IpvsloadError as error:
            self._fail(error)

    def _joined(self, number: int, address: str, weight: int) -> None:
        self._session.feed.joined(number, address, weight)

    def _sampled(self, item: Seen) -> None:
        if isinstance(item, Sample):
            self._state.sampled(item)
        elif isinstance(item, NodeLost):
            self._state.lost(item.node)


@dataclass(frozen=True)
class _Target(RunServers):
    """What actions act on here: the balancer and its servers, and Locust's users."""

    burst: Callable[[int, float], None]
    environment: Environment

    def start(self, traffic_class: str) -> None:
        """Raises UsageError: such a test has no classes of its own."""
        raise UsageError(f"here Locust decides when its users start, not {traffic_class}")

    stop = start

    def set_mix(self, weights: Mapping[str, int]) -> Mapping[str, int]:
        """Give Locust's user classes other weights, and rebalance the users now."""
        known = {one.__name__: one for one in self.environment.user_classes}
        unknown = ", ".join(sorted(set(weights) - set(known)))
        if unknown:
            raise UsageError(f"no user class {unknown}; there are {', '.join(sorted(known))}")
        after = {name: weights.get(name, one.weight) for name, one in known.items()}
        if not any(after.values()):
            raise UsageError("at least one user class needs a weight above 0")
        for name, weight in after.items():
            known[name].weight = weight
        apply_weights(self.environment.runner)
        return after
