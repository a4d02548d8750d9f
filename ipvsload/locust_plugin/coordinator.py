"""Starts and ends the tests of one process: the master, or the only one."""

import logging
from collections.abc import Mapping
from typing import Any

import gevent
from locust.dispatch import UsersDispatcher
from locust.runners import MasterRunner

from ipvsload.errors import IpvsloadError, UsageError
from ipvsload.experiment.session import StoppedError
from ipvsload.load.locust_internals import IdleDispatcher
from ipvsload.locust_plugin.arguments import Options
from ipvsload.locust_plugin.generators import Generators
from ipvsload.locust_plugin.load_tests.interactive_test import InteractiveTest
from ipvsload.locust_plugin.load_tests.locust_test import LocustTest
from ipvsload.locust_plugin.load_tests.scenario_plan import Plan, make_plan
from ipvsload.locust_plugin.load_tests.scenario_shape import ScenarioShape
from ipvsload.locust_plugin.load_tests.scenario_test import ScenarioTest
from ipvsload.locust_plugin.testbed_session import TestbedSession
from ipvsload.scenario.actions import PAGE_ACTIONS
from ipvsload.scenario.actions.base import Action

IDLE = "no test is running: start one on Locust's page"
logger = logging.getLogger(__name__)


class Coordinator:
    """Has one test at a time over the session's testbed, and this process's exit status.

    Made in Locust's main greenlet, once the testbed is up.
    """

    def __init__(self, session: TestbedSession, options: Options, generators: Generators) -> None:
        self._environment = session.environment
        self._options = self._form = options
        self._session = session
        self._generators = generators
        self._main = gevent.getcurrent()
        self._test: LocustTest | None = None
        self._failed = False
        self._status: int | None = None

    def goes_on(self) -> bool:
        """Whether the shape's test is still to be played, or being played."""
        if self._failed or not self._generators.ready():
            return False
        if self._test is None:
            self._environment.dispatcher_class = IdleDispatcher
        return not (self._test and self._test.over)

    def take_form(self, form: Mapping[str, Any], shaped: bool) -> None:
        """Take what a start form says for the next test, or raise IpvsloadError and take none."""
        renewed = self._options.renewed(form)
        if shaped:
            self._plan(renewed)
        self._form = renewed

    def worker_lost(self, reason: str) -> None:
        """A worker has gone, or cannot take part."""
        if self._test is not None:
            self._test.worker_lost(reason)

    def terminate(self) -> None:
        """End the process on SIGTERM, after the test that is running, if there is one."""
        if self._test is not None:
            gevent.spawn(self._environment.runner.quit)
        else:
            gevent.spawn(self._leave)

    # What the page's controls do; see `PageActions`

    def offers(self) -> dict[str, str]:
        """The key of every action, with why it cannot be had now; "" where it can."""
        if self._test is None or self._test.over:
            return dict.fromkeys(PAGE_ACTIONS, IDLE)
        return self._test.offers()

    def carry_out(self, action: Action) -> str:
        """Do it, and say in a few words what was done. Raises IpvsloadError."""
        reason = self.offers()[action.key]
        if self._test is None or reason:
            raise UsageError(reason or IDLE)
        return self._test.carry_out(action)

    def mix(self) -> dict[str, int]:
        """The weight of each user class now; empty where there is nothing to mix."""
        return {} if self._test is None or self._test.over else self._test.mix()

    # Locust's events

    def test_start(self) -> None:
        """Make the test that Locust starts."""
        self._status = None
        try:
            self._test = self._make_test()
        except IpvsloadError as error:
            self._fail(error)

    def test_stopping(self) -> None:
        """End the test while its users, and its workers, are still there."""
        if self._test is not None:
            self._test.stopping()
            if self._test.status is not None:
                self._status = self._test.status

    def test_stop(self) -> None:
        """Take the test down."""
        if self._test is not None:
            self._test.stop()
            if self._session.trouble and self._status is None:
                self._status = self._session.trouble.exit_status
        self._test = None
        self._failed = False
        self._environment.dispatcher_class = UsersDispatcher

    def quitting(self) -> None:
        """Take everything down, and leave Locust the exit status."""
        self._environment.runner.stop()
        status = self._close() or self._status
        if status is not None:
            self._environment.process_exit_code = status

    # Inside

    def _make_test(self) -> LocustTest:
        session, form = self._session, self._form
        if isinstance(self._environment.shape_class, ScenarioShape):
            return ScenarioTest(session, form, self._plan(form), self._generators)
        return InteractiveTest(session, form, self._generators, self._fail)

    def _plan(self, options: Options) -> Plan:
        has_workers = isinstance(self._environment.runner, MasterRunner)
        return make_plan(options, self._session.lacks, has_workers=has_workers)

    def _fail(self, error: IpvsloadError) -> None:
        """End the test, and the process with the error's status if it has no page."""
        logger.error("%s", error)
        self._failed = True
        self._status = error.exit_status
        self._session.feed.trouble(str(error))
        runner, parsed = self._environment.runner, self._environment.parsed_options
        gevent.spawn(runner.quit if parsed.headless else runner.stop)

    def _leave(self) -> None:
        self._close()
        gevent.kill(self._main, SystemExit(StoppedError.exit_status))

    def _close(self) -> int | None:
        """Take everything down; the exit status where that went wrong."""
        self._generators.close()
        return self._session.close()
