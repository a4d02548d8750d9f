"""`watch()`: what makes a locustfile's tests run over a virtual service that is watched.

It adds listeners to Locust's events when the locustfile is read, so they are
called before the locustfile's own, and after them when the process ends (Locust
then goes in reverse). At `init` Locust knows what this process is: the part that
it plays is made then, once and whole, with everything that it needs. Importing
this patches the process, as importing Locust does.
"""

import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from operator import methodcaller
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Any, Protocol

import gevent
from locust import FastHttpUser, HttpUser, User, events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from ipvsload.errors import IpvsloadError, UsageError
from ipvsload.experiment.session import StoppedError
from ipvsload.hang_up import end_on_hang_up
from ipvsload.load.environment_load import environment_load
from ipvsload.load.locust_internals import argument_listeners, before_parsing
from ipvsload.locust_plugin import arguments
from ipvsload.locust_plugin.arguments import Options, add_arguments
from ipvsload.locust_plugin.coordinator import Coordinator
from ipvsload.locust_plugin.distributed.worker_agent import WorkerAgent
from ipvsload.locust_plugin.distributed.workers import Workers
from ipvsload.locust_plugin.generators import Generators, LocalGenerator
from ipvsload.locust_plugin.load_tests.interactive_test import service_at_start
from ipvsload.locust_plugin.load_tests.scenario_plan import make_plan
from ipvsload.locust_plugin.load_tests.scenario_shape import ScenarioShape
from ipvsload.locust_plugin.metrics import opentelemetry
from ipvsload.locust_plugin.testbed_session import TestbedSession
from ipvsload.scenario.servers_needed import servers_needed
from ipvsload.testbed.registry import TESTBEDS

logger = logging.getLogger(__name__)

_registered = False


class ProcessPart(Protocol):
    """What this process does at Locust's events: a worker's part, or the master's."""

    def test_start(self) -> None:
        """A test begins."""

    def test_stopping(self) -> None:
        """A test is about to end; its users still run."""

    def test_stop(self) -> None:
        """A test has ended, and its users have gone."""

    def quitting(self) -> None:
        """The process ends."""


def watch(scenario: Path | None = None) -> None:
    """Have this locustfile's tests run over a virtual service whose table is watched.

    Adds arguments to Locust's command, the page "IPVS" and /metrics.
    With `scenario`, the locustfile's ScenarioShape plays that file. Calling it
    again does nothing.
    """
    global _registered
    if _registered:
        return
    _registered = True
    parts: list[ProcessPart] = []

    def tell(hook: Callable[[ProcessPart], None], **_: Any) -> None:
        for part in parts:
            hook(part)

    events.init_command_line_parser.add_listener(
        lambda parser, **_: before_parsing(
            parser, lambda: add_arguments(parser, scenario, argument_listeners())
        )
    )
    events.init.add_listener(
        lambda environment, **_: parts.append(_make_part(environment, scenario is not None))
    )
    for name in ("test_start", "test_stopping", "test_stop", "quitting"):
        getattr(events, name).add_listener(partial(tell, methodcaller(name)))


def _make_part(environment: Environment, plays_scenario: bool) -> ProcessPart:
    """Make all that this process needs, and give each what it depends on.

    `plays_scenario` is for `arguments.read`. Ends the process with the error's exit
    status where that does not succeed.
    """
    end_on_hang_up()
    if isinstance(environment.runner, WorkerRunner):
        return WorkerAgent(environment)
    # Ctrl-C is for Locust's main loop, whichever greenlet runs when it comes.
    stop = gevent.kill, gevent.getcurrent(), KeyboardInterrupt
    gevent.signal_handler(SIGINT, *stop)
    until_up = gevent.signal_handler(SIGTERM, *stop)
    session: TestbedSession | None = None
    for line in arguments.shared_names(environment.parsed_options, argument_listeners()):
        logger.info("%s", line)
    try:
        options = arguments.read(environment.parsed_options, plays_scenario)
        environment_load(environment).tls = arguments.tls(environment.parsed_options)
        session = TestbedSession(environment, options)
        _bring_up(environment, options, session)
    except (IpvsloadError, KeyboardInterrupt) as reason:
        error = reason if isinstance(reason, IpvsloadError) else StoppedError()
        logger.error("%s", error)
        if session is not None:
            session.close()
        sys.exit(error.exit_status)
    finally:
        until_up.cancel()
    generators: Generators
    if isinstance(environment.runner, MasterRunner):
        generators = Workers(
            environment, session.counter, lambda reason: coordinator.worker_lost(reason)
        )
    else:
        generators = LocalGenerator(environment, session.feed.prediction)
    coordinator = Coordinator(session, options, generators)
    shape = environment.shape_class
    if isinstance(shape, ScenarioShape):
        shape.goes_on = coordinator.goes_on
        if environment.parsed_options.headless:
            # Locust itself reacts to it only after a shape's test.
            gevent.signal_handler(SIGTERM, coordinator.terminate)
    if environment.web_ui is not None:
        # Flask is imported only where there is a page.
        from ipvsload.locust_plugin.web.install import install

        install(session, generators.users, coordinator, coordinator.take_form)
    opentelemetry.install(environment, lambda: session.samples, lambda: session.occupancy_sample)
    return coordinator


def _bring_up(environment: Environment, options: Options, session: TestbedSession) -> None:
    """Bring up the testbed and its sidecar, with room for what is tested first."""
    shape, parsed = environment.shape_class, environment.parsed_options
    if TESTBEDS[options.testbed].has_own_network:
        _refuse_who_cannot_reach_a_lab(environment.user_classes)
    if isinstance(shape, ScenarioShape):
        shape.use_common_options = False
        has_workers = isinstance(environment.runner, MasterRunner)
        scenario = make_plan(options, session.lacks, has_workers=has_workers).scenario
        _say_what_is_not_used(parsed, scenario.traffic)
        session.ready(servers_needed(scenario), scenario.service)
    else:
        service = service_at_start(options)
        session.ready(service.servers, service)
    testbed = session.testbed
    kernel = testbed.kernel
    if kernel["release"]:
        what = f"Linux {kernel['release']} ({kernel['provider']})"
    else:
        what = "nothing reads its table"
    logger.info("%s is up: %s", options.testbed, what)


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
        wanted = ", ".join(f"{name}: {spec.size}" for name, spec in traffic.items())
        logger.warning(
            "%s not used: the scenario's timeline starts its users (%s)",
            " and ".join(given),
            wanted,
        )
