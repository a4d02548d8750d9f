"""A worker process: what it does besides making load.

It counts its requests for the master's page, takes its sockets from the lab on the
master's machine, and dies with a master that forked it.
"""

import logging
import os
from functools import partial

import gevent
from locust.env import Environment

from ipvsload.errors import IpvsloadError
from ipvsload.load.environment_load import environment_load
from ipvsload.load.locust_internals import remember_default_arguments, stop_users_and_report
from ipvsload.locust_plugin import arguments
from ipvsload.locust_plugin.arguments import SOCKET_BROKER, TEST_NUMBER
from ipvsload.locust_plugin.distributed import messages as m
from ipvsload.locust_plugin.distributed.borrowed_budgets import BorrowedBudgets
from ipvsload.locust_plugin.distributed.worker_load import WorkerLoad
from ipvsload.locust_plugin.lab_sockets import CurrentSockets
from ipvsload.locust_plugin.metrics.request_counter import RequestCounter
from ipvsload.locust_plugin.metrics.request_listener import RequestListener
from ipvsload.testbed.lab import namespaces

logger = logging.getLogger(__name__)

_COUNTS_SECONDS = 0.25
_SILENT_SECONDS = 6.0
"""A worker that hears nothing of its master for so long ends its load.

The master has missed it by then (runners.py, HEARTBEAT_LIVENESS), and ended the run. Locust
itself would let it send on for a minute (MASTER_HEARTBEAT_TIMEOUT), into whatever runs next.
"""


class WorkerAgent:
    """A worker's part, for as long as the process lives."""

    def __init__(self, environment: Environment) -> None:
        if environment.parsed_options.processes:
            namespaces.die_with_parent(os.getppid())
        remember_default_arguments()
        self._environment = environment
        self._counter = RequestCounter()
        self._sockets = CurrentSockets()
        self._load = WorkerLoad(environment, self._sockets)
        self._budgets = BorrowedBudgets(environment)
        self._send = partial(m.send, environment.runner)
        self._silent = 0.0
        """Seconds since the last heartbeat of the master, as far as this process had time."""
        environment.events.request.add_listener(RequestListener(self._counter))
        environment.events.heartbeat_received.add_listener(self._heard_of_master)
        m.listen(environment.runner, m.DrainRequests, self._drain, self._refused, concurrent=True)
        gevent.spawn(self._report)

    def test_start(self) -> None:
        """Have the users' sockets be the broker's, and their budgets the test's."""
        parsed = self._environment.parsed_options
        broker = getattr(parsed, SOCKET_BROKER, "")
        self._budgets.begin(getattr(parsed, TEST_NUMBER, 0))
        try:
            load = environment_load(self._environment)
            load.sockets = self._sockets.of(broker)
            load.tls = arguments.tls(parsed)
        except IpvsloadError as error:
            logger.error("%s", error)
            self._send(m.WorkerComplaint(reason=str(error)))

    def test_stopping(self) -> None:
        """Nothing: the master says when to drain."""

    def test_stop(self) -> None:
        """Be ready for the next test at once.

        Locust's worker sleeps for the stop timeout before it is ready again,
        and meanwhile hears no message.
        """
        self._environment.stop_timeout = 0

    def quitting(self) -> None:
        """End the load and close the sockets; calling it again does nothing."""
        self._load.close()
        self._sockets.close()

    def _drain(self, *_: object) -> None:
        stop_users_and_report(self._environment.runner)
        self._tell_counts()
        self._send(m.RequestsDrained())

    def _refused(self, _: str, error: ValueError) -> None:
        logger.error("%s", error)

    def _report(self) -> None:
        while True:
            gevent.sleep(_COUNTS_SECONDS)
            self._tell_counts()
            before, self._silent = self._silent, self._silent + _COUNTS_SECONDS
            if before < _SILENT_SECONDS <= self._silent:
                self._abandon()

    def _heard_of_master(self, **_: object) -> None:
        self._silent = 0.0

    def _abandon(self) -> None:
        """End the load of a test whose master cannot be heard any more."""
        if not (self._load.running or self._environment.runner.user_count):
            return
        logger.error(
            "nothing was heard of the master for %.0f s: this worker sends no more",
            _SILENT_SECONDS,
        )
        self._load.close()
        gevent.spawn(stop_users_and_report, self._environment.runner)

    def _tell_counts(self) -> None:
        delta = self._counter.take()
        if delta["labels"]:
            self._send(m.RequestsCounted(delta=delta))
