"""The HTTP clients and workloads behind the users of one Locust environment.

Users of a class share one workload, and with it the class's budget; workloads
to the same target share one HTTP client.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import gevent
from locust.env import Environment
from locust.runners import WorkerRunner

from ipvsload.errors import UsageError
from ipvsload.load.burst_traffic import BURST, burst_traffic
from ipvsload.load.finished_batch import FinishedBatch
from ipvsload.load.http_client import HttpClient
from ipvsload.load.locust_internals import keep_fractions_of_milliseconds
from ipvsload.load.locust_report import report
from ipvsload.load.request_budget import Lender
from ipvsload.load.workload import Workload
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import HttpTarget, Tls, read_url

if TYPE_CHECKING:
    from ipvsload.load.connection_watch import ConnectionWatch
    from ipvsload.load.tcp_connect import Sockets

logger = logging.getLogger(__name__)


class EnvironmentLoad:
    """Makes workloads as they are needed, anew for each test.

    `sockets` is where connections come from, and `tls` is how https servers are judged,
    from the next test on; `lender` has the budgets that this process shares with
    others; `watch` is told of connections, if there is one.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._clients: dict[HttpTarget, HttpClient] = {}
        self._workloads: dict[type, Workload] = {}
        self._gave_up = False
        self.sockets: Sockets | None = None
        self.lender: Lender | None = None
        self.tls = Tls()
        self.watch: ConnectionWatch | None = None
        # Locust's default is to wait for no request; ours, that no request is lost.
        self._waits = not environment.stop_timeout
        keep_fractions_of_milliseconds()
        environment.events.test_start.add_listener(self._reset)
        environment.events.quit.add_listener(self._close)

    def workload(self, user_class: type, host: str | None, spec: Callable[[], Traffic]) -> Workload:
        """The workload of a user class; the first time it is made from `spec` and started.

        Raises IpvsloadError where there is no host, or its name is not known.
        """
        workload = self._workloads.get(user_class)
        if workload is None:
            traffic = spec()
            lender = None if traffic.requests is None else self.lender
            if (
                traffic.requests
                and not lender
                and isinstance(self._environment.runner, WorkerRunner)
            ):
                logger.warning(
                    "%s.requests = %d is sent by each worker: to have it shared by all of"
                    " them, call ipvsload.watch() in the locustfile",
                    user_class.__name__,
                    traffic.requests,
                )
            workload = self._make(host, user_class.__name__, traffic, lender)
            self._workloads[user_class] = workload
            workload.start(users=0)
        if self._waits:
            # Each time, because a worker gets the master's value with each ramp.
            longest = max(workload.spec.timeout for workload in self._workloads.values())
            self._environment.stop_timeout = longest
        return workload

    def lent(self, user_class: str, count: int, more: bool) -> None:
        """The lender's answer for a user class of this name; see `RequestBudget.lent`."""
        for workload in self._workloads.values():
            if workload.name == user_class:
                workload.lent(count, more)

    def burst(self, requests: int, seconds: float) -> None:
        """Send so many requests at once to the test's host, each held open for so long.

        Raises IpvsloadError where there is no host, or its name is not known.
        """
        self._make(None, BURST, burst_traffic(requests, seconds)).start()

    def give_up(self, error: Exception) -> None:
        """End the test, and say why in one line."""
        if self._gave_up:
            return
        self._gave_up = True
        logger.error("%s", error)
        self._environment.process_exit_code = 1
        options, runner = self._environment.parsed_options, self._environment.runner
        gevent.spawn(runner.quit if options and options.headless else runner.stop)

    def _reset(self, **_: Any) -> None:
        """Have whole budgets for the next test, which may be at another address."""
        self._gave_up = False
        self._workloads.clear()
        # Emptied before: Locust may quit twice at once, as on SIGTERM, and closing waits.
        clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def _close(self, **_: Any) -> None:
        self._reset()
        _loads.pop(self._environment, None)

    def _make(
        self, host: str | None, name: str, spec: Traffic, lender: Lender | None = None
    ) -> Workload:
        host = host or self._environment.host
        if not host:
            raise UsageError("no host: give one with -H http://ADDRESS[:PORT]")
        target = read_url(host, self.tls)
        client = self._clients.get(target)
        if client is None:
            client = HttpClient(target, self.sockets, on_error=self.give_up, watch=self.watch)
            self._clients[target] = client
        # Of several workers, each draws numbers of its own.
        key = str(getattr(self._environment.runner, "worker_index", 0))
        finished = FinishedBatch(partial(report, self._environment, spec))
        return Workload(name, spec, client, finished, lender=lender, key=key)


_loads: dict[Environment, EnvironmentLoad] = {}


def environment_load(environment: Environment) -> EnvironmentLoad:
    """The load of this environment; made when it is first asked for."""
    load = _loads.get(environment)
    if load is None:
        load = _loads[environment] = EnvironmentLoad(environment)
    return load
