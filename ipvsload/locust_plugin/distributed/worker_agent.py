"""A worker process: what it does besides the load itself.

It counts its requests for the master's page, takes its sockets from the lab of
the master's machine, and does not outlive a master that forked it.
"""

import logging
import os
from typing import TYPE_CHECKING, Any

import gevent

from ipvsload.errors import TestbedError
from ipvsload.load.environment_load import environment_load
from ipvsload.load.locust_internals import stop_users_and_report
from ipvsload.locust_plugin.arguments import DOOR
from ipvsload.locust_plugin.distributed.worker_load import WorkerLoad
from ipvsload.locust_plugin.request_counter import RequestCounter
from ipvsload.locust_plugin.request_listener import counting
from ipvsload.testbed.lab import namespaces
from ipvsload.testbed.lab.broker_client import LabSockets, open_door

if TYPE_CHECKING:
    from locust.env import Environment

logger = logging.getLogger(__name__)

METER, TROUBLE = "ipvsload_meter", "ipvsload_trouble"
DRAIN, DRAINED = "ipvsload_drain", "ipvsload_drained"
_METER_SECONDS = 0.25


class WorkerAgent:
    """In a worker, for as long as it lives."""

    def __init__(self, environment: "Environment") -> None:
        if environment.parsed_options.processes:
            namespaces.die_with_parent(os.getppid())
        self._environment = environment
        self._meter = RequestCounter()
        self._sockets: LabSockets | None = None
        self._worker = WorkerLoad(environment)
        environment.events.request.add_listener(counting(self._meter))
        environment.events.test_stop.add_listener(self._stopped)
        environment.runner.register_message(DRAIN, self._drain, concurrent=True)
        gevent.spawn(self._report)

    def start(self) -> None:
        """A test begins: its users' connections come through the door that the master names."""
        door = getattr(self._environment.parsed_options, DOOR, "")
        try:
            if self._sockets is None or self._sockets.name != door:
                self._close_door()
                self._sockets = open_door(door)
            environment_load(self._environment).sockets = self._sockets
        except TestbedError as error:
            logger.error("%s", error)
            self._environment.runner.send_message(TROUBLE, {"reason": str(error)})

    def close(self) -> None:
        """Let go; calling it again does nothing."""
        self._worker.close()
        self._close_door()

    def _close_door(self) -> None:
        if self._sockets is not None:
            self._sockets.close()
            self._sockets = None

    def _drain(self, **_: Any) -> None:
        """Start nothing more, wait for what is in flight, and tell of all of it."""
        runner = self._environment.runner
        stop_users_and_report(runner)
        self._tell()
        runner.send_message(DRAINED)

    def _stopped(self, **_: Any) -> None:
        # Locust's worker sleeps that long before it is ready again, and hears nobody.
        self._environment.stop_timeout = 0

    def _report(self) -> None:
        while True:
            gevent.sleep(_METER_SECONDS)
            self._tell()

    def _tell(self) -> None:
        delta = self._meter.take()
        if delta["labels"]:
            self._environment.runner.send_message(METER, delta)
