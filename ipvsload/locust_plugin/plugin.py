"""What makes Locust's command one that knows the kernel's table.

`watch()` in a locustfile is all; it adds arguments, and from there on follows
Locust's own events: a process starts, a test starts and stops, the process
ends. Importing this patches the process, as importing Locust does.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import TYPE_CHECKING, Any

import gevent
from locust import FastHttpUser, HttpUser, User, events
from locust.runners import MasterRunner, WorkerRunner

from ipvsload.errors import InvalidRunError, IpvsloadError, TestbedError, UsageError
from ipvsload.experiment.session import StoppedError
from ipvsload.load.base import Load
from ipvsload.load.environment_load import environment_load
from ipvsload.load.locust_internals import IdleDispatcher, MixDispatcher
from ipvsload.load.locust_load import LocustLoad
from ipvsload.locust_plugin import arguments as options
from ipvsload.locust_plugin.arguments import DOOR, Options
from ipvsload.locust_plugin.distributed.distributed_load import DistributedLoad, WorkerMessages
from ipvsload.locust_plugin.distributed.partition import divide
from ipvsload.locust_plugin.distributed.worker_agent import WorkerAgent
from ipvsload.locust_plugin.distributed.worker_load import BURST
from ipvsload.locust_plugin.distributed.worker_registry import WorkerMonitor
from ipvsload.locust_plugin.interactive_test import InteractiveTest, size
from ipvsload.locust_plugin.locust_test import LocustTest
from ipvsload.locust_plugin.metrics import opentelemetry as telemetry
from ipvsload.locust_plugin.scenario_plan import make_plan
from ipvsload.locust_plugin.scenario_shape import ScenarioShape
from ipvsload.locust_plugin.scenario_test import ScenarioTest
from ipvsload.locust_plugin.testbed_session import TestbedSession
from ipvsload.scenario.servers_needed import servers_needed
from ipvsload.testbed.lab.broker_client import LabSockets, open_door
from ipvsload.testbed.registry import TESTBEDS

if TYPE_CHECKING:
    from locust.env import Environment

logger = logging.getLogger(__name__)

_plugins: list["Plugin"] = []


def watch(scenario: Path | None = None) -> None:
    """Have this locustfile's tests run over a virtual service whose table is watched.

    Adds arguments to the command (options.py), the page "IPVS" and /metrics.
    With `scenario`, the locustfile's ScenarioShape plays that file.
    """
    if not _plugins:
        _plugins.append(Plugin(scenario))


class Plugin:
    """One per process; in a worker most of it sleeps."""

    watch: TestbedSession
    _environment: "Environment"
    _options: Options
    _form: Options
    _post: WorkerMessages
    _helper: WorkerAgent | None = None

    def __init__(self, scenario: Path | None) -> None:
        self._scenario = scenario
        self._status: int | None = None
        self._trial: LocustTest | None = None
        self._failed = False
        self._sockets: LabSockets | None = None
        for event, listener in (
            (events.init_command_line_parser, self._add_arguments),
            (events.init, self._begin),
            (events.test_start, self._start),
            (events.test_stopping, self._stopping),
            (events.test_stop, self._stopped),
            (events.quitting, self._quitting),
        ):
            event.add_listener(listener)

    @property
    def trial(self) -> LocustTest | None:
        """The test that is running."""
        return self._trial

    def goes_on(self) -> bool:
        """Whether the shape's test is still to be played, or being played."""
        if self._failed or not self._has_workers():
            return False
        if self._trial is None:
            self._environment.dispatcher_class = IdleDispatcher
        return not (self._trial and self._trial.over)

    def renew(self, form: Any, *, shaped: bool) -> None:
        """Take what a start form says for the next test. Raises UsageError, and takes nothing."""
        renewed = self._options.renewed(form)
        if shaped:
            make_plan(renewed, self.watch.lacks)
        self._form = renewed

    # Locust's events

    def _add_arguments(self, parser: Any, **_: Any) -> None:
        options.add_arguments(parser, self._scenario)

    def _begin(self, environment: "Environment", **_: Any) -> None:
        self._environment = environment
        if isinstance(environment.runner, WorkerRunner):
            self._helper = WorkerAgent(environment)
            return
        # Ctrl-C is for Locust's main loop, and not for whoever is just running.
        self._main = gevent.getcurrent()
        stop = gevent.kill, self._main, KeyboardInterrupt
        gevent.signal_handler(SIGINT, *stop)
        until_up = gevent.signal_handler(SIGTERM, *stop)
        try:
            self._options = self._form = options.read(environment.parsed_options)
            self.watch = TestbedSession(environment, self._options)
            self._bring_up()
        except (IpvsloadError, KeyboardInterrupt) as reason:
            error = reason if isinstance(reason, IpvsloadError) else StoppedError()
            logger.error("%s", error)
            self._close()
            sys.exit(error.exit_status)
        finally:
            until_up.cancel()
        environment.dispatcher_class = MixDispatcher
        if isinstance(environment.runner, MasterRunner):
            self._post = WorkerMessages(environment)
            self._workers = WorkerMonitor(environment.runner, self.watch.meter, self._lost)
        if environment.web_ui is not None:
            from ipvsload.locust_plugin.web.install import install

            install(self, environment)
        telemetry.install(environment, lambda: self.watch.samples)

    def _bring_up(self) -> None:
        shape = self._environment.shape_class
        chosen = self._options
        if TESTBEDS[chosen.testbed].has_own_network:
            _refuse_who_cannot_reach_a_lab(self._environment.user_classes)
        if isinstance(shape, ScenarioShape):
            shape.plugin = self
            shape.use_common_options = False
            plan = make_plan(chosen, self.watch.lacks)
            _say_what_is_not_used(self._environment.parsed_options, plan.scenario.traffic)
            self.watch.ready(servers_needed(plan.scenario), plan.scenario.service.clients)
            if self._environment.parsed_options.headless:
                # Locust listens to it only after a shape's test.
                gevent.signal_handler(SIGTERM, self._terminate)
        else:
            self.watch.ready(*size(chosen))
        testbed = self.watch.testbed
        kernel = testbed.kernel
        logger.info("%s is up: Linux %s (%s)", testbed.name, kernel["release"], kernel["provider"])

    def _start(self, environment: "Environment", **_: Any) -> None:
        if self._helper is not None:
            self._helper.start()
            return
        self._status = None
        try:
            if self._shaped():
                plan = make_plan(self._form, self.watch.lacks)
                self._trial = ScenarioTest(
                    self.watch, environment, self._form, plan, self._make_load
                )
            else:
                self._trial = InteractiveTest(self.watch, environment, self._form, self._burst)
                self._open_doors()
        except IpvsloadError as error:
            self._fail(error)

    def _stopping(self, **_: Any) -> None:
        if isinstance(self._trial, ScenarioTest):
            self._trial.stop()
            self._status = self._trial.status
        elif self._trial is not None and isinstance(self._environment.runner, MasterRunner):
            self._workers.drain()

    def _stopped(self, **_: Any) -> None:
        if self._helper is not None:
            return
        if self._trial is not None:
            self._trial.stop()
            if self.watch.trouble and self._status is None:
                self._status = self.watch.trouble.exit_status
        self._trial = None
        self._failed = False
        self._environment.dispatcher_class = MixDispatcher

    def _quitting(self, environment: "Environment", **_: Any) -> None:
        if self._helper is not None:
            self._helper.close()
            return
        environment.runner.stop()
        status = self._close() or self._status
        if status is not None:
            environment.process_exit_code = status

    # Inside

    def _terminate(self) -> None:
        if self._trial is not None:
            gevent.spawn(self._environment.runner.quit)
        else:
            gevent.spawn(self._leave)

    def _leave(self) -> None:
        self._close()
        gevent.kill(self._main, SystemExit(StoppedError.exit_status))

    def _shaped(self) -> bool:
        return isinstance(self._environment.shape_class, ScenarioShape)

    def _has_workers(self) -> bool:
        runner = self._environment.runner
        if not isinstance(runner, MasterRunner) or runner.worker_count:
            return True
        logger.error("no worker has connected yet: start some with --worker, or use --processes")
        return False

    def _make_load(self, traffic: Any, target: tuple[str, int], **told: Any) -> Load:
        """See `run.load.LoadMaker`; the lab may be another one than at the last test."""
        environment, door = self._environment, self.watch.testbed.socket_broker
        if isinstance(environment.runner, MasterRunner):
            where = {"environment": environment, "post": self._post, "door": door}
            return DistributedLoad(traffic, target, **where, **told)
        sockets = self._own_sockets(door)
        return LocustLoad(traffic, target, environment=environment, sockets=sockets, **told)

    def _open_doors(self) -> None:
        door = self.watch.testbed.socket_broker
        vars(self._environment.parsed_options)[DOOR] = door
        if not isinstance(self._environment.runner, MasterRunner):
            environment_load(self._environment).sockets = self._own_sockets(door)

    def _own_sockets(self, door: str) -> LabSockets | None:
        if self._sockets is None or self._sockets.name != door:
            if self._sockets is not None:
                self._sockets.close()
            self._sockets = open_door(door)
        return self._sockets

    def _burst(self, requests: int, seconds: float) -> None:
        runner = self._environment.runner
        if not isinstance(runner, MasterRunner):
            environment_load(self._environment).burst(requests, seconds)
            return
        nodes = runner.clients.running + runner.clients.spawning
        if not nodes:
            raise TestbedError("there are no workers to send it")
        for node, part in zip(nodes, divide(requests, [1] * len(nodes)), strict=True):
            if part:
                data = {"requests": part, "seconds": seconds}
                runner.send_message(BURST, data, client_id=node.id)

    def _lost(self, reason: str) -> None:
        """A worker has gone, or cannot take part; a scenario's run knows by itself."""
        if isinstance(self._trial, InteractiveTest):
            self._fail(InvalidRunError(reason))

    def _fail(self, error: IpvsloadError) -> None:
        """End the test, and the process with the error's status if it has no page."""
        logger.error("%s", error)
        self._failed = True
        self._status = error.exit_status
        self.watch.feed.trouble(str(error))
        runner = self._environment.runner
        parsed = self._environment.parsed_options
        gevent.spawn(runner.quit if parsed.headless else runner.stop)

    def _close(self) -> int | None:
        """Take everything down; the exit status where that went wrong."""
        if self._sockets is not None:
            self._sockets.close()
            self._sockets = None
        try:
            if hasattr(self, "watch"):
                self.watch.close()
        except IpvsloadError as error:
            logger.error("%s", error)
            return error.exit_status
        return None


def _refuse_who_cannot_reach_a_lab(classes: Sequence[type[User]]) -> None:
    names = [one.__name__ for one in classes if issubclass(one, HttpUser | FastHttpUser)]
    if names:
        raise UsageError(
            f"{', '.join(names)}: Locust's own HTTP users cannot reach a lab from outside of it;"
            " have them inside: ipvsload lab -- locust -f FILE -H '$URL'"
            " --sidecar 'ipvsload lab exec -- ipvsload collect'"
        )


def _say_what_is_not_used(parsed: Any, traffic: Any) -> None:
    known = {"--users": parsed.num_users, "--spawn-rate": parsed.spawn_rate}
    given = [flag for flag, value in known.items() if value]
    if given:
        wanted = ", ".join(
            f"{name} {spec.users or f'{spec.rate:g}/s'}" for name, spec in traffic.items()
        )
        logger.warning(
            "%s not used: the scenario's timeline starts its users (%s)",
            " and ".join(given),
            wanted,
        )
