"""A master's workers: has them make load, takes their counts, and notices when one is lost.

Locust moves a lost worker's users to the others and goes on. What that worker had
in flight is in no statistics, so a test that loses a worker must say so.
"""

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import gevent
from locust.env import Environment

from ipvsload.errors import TestbedError
from ipvsload.load.base import LoadMaker
from ipvsload.load.locust_internals import (
    available_workers,
    busy_workers,
    is_testing,
    known_workers,
    present_workers,
)
from ipvsload.load.users import budgets
from ipvsload.locust_plugin.arguments import SOCKET_BROKER, TEST_NUMBER
from ipvsload.locust_plugin.distributed import messages as m
from ipvsload.locust_plugin.distributed.distributed_load import DistributedLoad, send_burst
from ipvsload.locust_plugin.distributed.shared_budgets import Loan, SharedBudgets
from ipvsload.locust_plugin.metrics.request_counter import RequestCounter

logger = logging.getLogger(__name__)

_CHECK_SECONDS = 0.25
_DRAIN_MARGIN = 5.0


class Workers:
    """Has a master's workers make the load; see `generators.Generators`.

    `counter` gets their counts; `lost` is called with the reason when a test loses one.
    """

    unwatched = "workers make the load, and they tell of a connection only when it is over"

    def __init__(
        self, environment: Environment, counter: RequestCounter, lost: Callable[[str], None]
    ) -> None:
        self._runner, self._parsed = environment.runner, environment.parsed_options
        self._counter, self._lost = counter, lost
        self._load: DistributedLoad | None = None
        self._draining: set[str] = set()
        self._odd: set[str] = set()
        self._test = 0
        self._budgets = SharedBudgets({}, 0)
        listen = partial(m.listen, self._runner, refused=self._refused)
        for message in (m.LoadBegun, m.ClockPong, m.LoadProgress, m.LoadFinished, m.LoadBroken):
            listen(message, self._heard)
        listen(m.RequestsDrained, lambda worker, _: self._draining.discard(worker))
        listen(m.RequestsCounted, self._count)
        listen(m.WantRequests, self._wanted)
        listen(m.ReturnRequests, self._returned)
        listen(m.WorkerComplaint, lambda worker, said: lost(f"worker {worker}: {said.reason}"))
        gevent.spawn(self._watch)

    def ready(self) -> bool:
        """See `Generators`: whether a worker has connected."""
        if self._runner.worker_count:
            return True
        logger.error("no worker has connected yet: start some with --worker, or use --processes")
        return False

    def users(self) -> dict[str, int]:
        """See `Generators`: over all workers."""
        return dict(self._runner.reported_user_classes_count)

    def load_maker(self, broker: str) -> LoadMaker:
        """See `Generators`; each worker asks the broker for itself."""
        return partial(DistributedLoad, runner=self._runner, broker=broker, attach=self._attach)

    def connect_users(self, broker: str) -> None:
        """See `Generators`: Locust sends workers its options when a test starts.

        The users' budgets are whole again.
        """
        self._test += 1
        self._budgets = SharedBudgets(
            budgets(self._runner.environment.user_classes), len(available_workers(self._runner))
        )
        vars(self._parsed).update({SOCKET_BROKER: broker, TEST_NUMBER: self._test})

    def burst(self, requests: int, seconds: float) -> None:
        """See `Generators`. Raises TestbedError where there are no workers."""
        workers = busy_workers(self._runner)
        if not workers:
            raise TestbedError("there are no workers to send it")
        send_burst(self._runner, workers, requests, seconds)

    def drain(self) -> None:
        """See `Generators`. By itself Locust would wait half a second for workers."""
        self._draining = set(busy_workers(self._runner))
        for name in self._draining:
            m.send(self._runner, m.DrainRequests(), name)
        deadline = time.monotonic() + self._runner.environment.stop_timeout + _DRAIN_MARGIN
        while self._draining & known_workers(self._runner) and time.monotonic() < deadline:
            gevent.sleep(0.05)
        for name in self._draining & known_workers(self._runner):
            logger.error("worker %s did not tell how its last requests ended", name)

    def close(self) -> None:
        """Nothing: each worker closes its own sockets."""

    # Inside

    def _attach(self, load: DistributedLoad | None) -> None:
        self._load = load

    def _heard(self, worker: str, message: Any) -> None:
        if self._load is not None:
            self._load.heard(worker, message)

    def _refused(self, worker: str, error: ValueError) -> None:
        self._say_once(worker, error)
        if self._load is not None:
            self._load.broken(worker, str(error))

    def _count(self, worker: str, message: m.RequestsCounted) -> None:
        try:
            self._counter.add(message.delta)
        except ValueError as error:
            self._say_once(worker, error)

    def _wanted(self, worker: str, message: m.WantRequests) -> None:
        if message.test == self._test:
            name = message.user_class
            self._lend(name, self._budgets.asked(worker, name, message.left))

    def _returned(self, worker: str, message: m.ReturnRequests) -> None:
        if message.test == self._test:
            name = message.user_class
            answers = self._budgets.returned(worker, name, message.requests, message.asks)
            self._lend(name, answers)

    def _lend(self, name: str, answers: Iterable[Loan]) -> None:
        for worker, requests, more in answers:
            m.send(self._runner, m.LendRequests(self._test, name, requests, more), worker)

    def _say_once(self, worker: str, error: ValueError) -> None:
        if worker not in self._odd:
            self._odd.add(worker)
            logger.error("worker %s: %s", worker, error)

    def _watch(self) -> None:
        busy: set[str] = set()
        while True:
            gevent.sleep(_CHECK_SECONDS)
            present = present_workers(self._runner)
            if self._load is not None:
                self._load.check(present)
            testing = is_testing(self._runner)
            gone = sorted(busy - present)
            if testing and gone:
                self._lost(f"worker {gone[0]} went away in the middle of the test")
            busy = set(busy_workers(self._runner)) if testing else set()
