"""The workers as their master sees them: their counts, their troubles, their deaths.

Locust moves a lost worker's users to the others and goes on; what that worker
had in flight is in nobody's statistics, so a test that loses one must say so.
"""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent

from ipvsload.locust_plugin.distributed.worker_agent import DRAIN, DRAINED, METER, TROUBLE
from ipvsload.locust_plugin.request_counter import RequestCounter

if TYPE_CHECKING:
    from locust.runners import MasterRunner

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.25
_DRAIN_MARGIN = 5.0


class WorkerMonitor:
    """Listens to workers of `runner`; `lost` is told why a test has lost one."""

    def __init__(
        self, runner: "MasterRunner", meter: RequestCounter, lost: Callable[[str], None]
    ) -> None:
        self._runner, self._meter, self._lost = runner, meter, lost
        self._draining: set[str] = set()
        self._odd: set[str] = set()
        runner.register_message(DRAINED, self._drained)
        runner.register_message(METER, self._count)
        runner.register_message(TROUBLE, self._complain)
        gevent.spawn(self._watch)

    def drain(self) -> None:
        """Have all requests that are in flight come to their end, and be told of them.

        Locust's own end gives workers half a second.
        """
        clients = self._runner.clients
        self._draining = {node.id for node in clients.running + clients.spawning}
        for name in self._draining:
            self._runner.send_message(DRAIN, client_id=name)
        deadline = time.monotonic() + self._runner.environment.stop_timeout + _DRAIN_MARGIN
        while self._draining & set(clients) and time.monotonic() < deadline:
            gevent.sleep(0.05)
        for name in self._draining & set(clients):
            logger.error("worker %s did not tell how its last requests ended", name)

    def _drained(self, msg: Any, **_: Any) -> None:
        self._draining.discard(msg.node_id)

    def _count(self, msg: Any, **_: Any) -> None:
        try:
            self._meter.add(msg.data)
        except ValueError as error:
            if msg.node_id not in self._odd:
                self._odd.add(msg.node_id)
                logger.error("worker %s: %s", msg.node_id, error)

    def _complain(self, msg: Any, **_: Any) -> None:
        self._lost(f"worker {msg.node_id}: {msg.data['reason']}")

    def _watch(self) -> None:
        busy: set[str] = set()
        while True:
            gevent.sleep(_LOOK_SECONDS)
            clients = self._runner.clients
            gone = [name for name in busy if name not in clients]
            gone += [node.id for node in clients.missing if node.id in busy]
            running = self._runner.state in ("spawning", "running")
            if running and gone:
                self._lost(f"worker {gone[0]} went away in the middle of the test")
            busy = {node.id for node in clients.running + clients.spawning} if running else set()
