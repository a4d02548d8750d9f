"""A worker's part of a run: it makes its share of the load and reports to the master.

The master plays the timeline and keeps the record. A worker makes requests and
reports them with the times of its own clock, twenty times a second, and at once
when a class is done.
"""

import time
from functools import partial
from pathlib import Path

import gevent
from gevent.event import Event
from locust.env import Environment

from ipvsload.errors import IpvsloadError
from ipvsload.load.base import LoadListener
from ipvsload.load.environment_load import environment_load
from ipvsload.load.locust_load import LocustLoad
from ipvsload.locust_plugin.distributed import messages as m
from ipvsload.locust_plugin.lab_sockets import CurrentSockets
from ipvsload.record.format import Request
from ipvsload.scenario.model import Traffic

PROGRESS_SECONDS = 0.05
MOST_REQUESTS = 5_000
"""A message has so many requests at most."""


def boot_id() -> str:
    """Identify this machine and boot: processes with the same one share CLOCK_MONOTONIC."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class WorkerLoad:
    """Makes load with a worker's Locust as the master's messages say."""

    def __init__(self, environment: Environment, sockets: CurrentSockets) -> None:
        runner = environment.runner
        self._environment, self._sockets = environment, sockets
        self._send = partial(m.send, runner)
        self._run = 0
        self._load: LocustLoad | None = None
        self._requests = list[Request]()
        self._starts: dict[str, int] = {}
        self._told: dict[str, m.ClassCounters] = {}
        self._changed = Event()
        listen = partial(m.listen, runner, refused=self._refused)
        listen(m.BeginLoad, self._begin)
        listen(m.StartClass, self._start)
        listen(m.StopClass, self._stop)
        listen(m.SendBurst, self._burst)
        listen(m.FinishLoad, self._finish, concurrent=True)
        listen(m.CloseLoad, lambda *_: self.close())
        listen(m.ClockPing, self._ping)
        gevent.spawn(self._report)

    def close(self) -> None:
        """End a run's load; calling it again does nothing."""
        if self._load is not None:
            self._load.close()
            self._tell_progress(self._load)
            self._load = None

    # Messages of the master

    def _begin(self, _: str, message: m.BeginLoad) -> None:
        self.close()
        self._run, self._requests, self._starts, self._told = message.run, [], {}, {}
        trouble = ""
        try:
            self._load = LocustLoad(
                {name: Traffic(**spec) for name, spec in message.traffic.items()},
                message.target,
                LoadListener(
                    self._run,
                    to_us=lambda ns: ns // 1000,
                    on_finished=self._requests.append,
                    on_done=lambda _: self._changed.set(),
                    on_error=self._broke,
                ),
                sockets=self._sockets.of(message.broker),
                environment=self._environment,
            )
        except IpvsloadError as error:
            trouble = str(error)
        self._send(m.LoadBegun(run=self._run, trouble=trouble, boot=boot_id()))

    def _start(self, _: str, message: m.StartClass) -> None:
        if self._load is not None:
            self._starts[message.traffic_class] = message.number
            self._load.start(message.traffic_class, message.first, message.step)
            self._changed.set()

    def _stop(self, _: str, message: m.StopClass) -> None:
        if self._load is not None:
            self._load.stop(message.traffic_class)
            self._changed.set()

    def _burst(self, _: str, message: m.SendBurst) -> None:
        if self._load is not None:
            self._load.burst(message.requests, message.seconds)
        else:
            environment_load(self._environment).burst(message.requests, message.seconds)

    def _finish(self, _: str, message: m.FinishLoad) -> None:
        load = self._load
        if load is not None:
            load.finish(message.grace, message.soon)
            self._tell_progress(load)
            self._send(m.LoadFinished(run=self._run, overloads=load.overloads()))

    def _ping(self, _: str, message: m.ClockPing) -> None:
        self._send(m.ClockPong(number=message.number, time_ns=time.monotonic_ns()))

    # Messages to the master

    def _broke(self, error: Exception) -> None:
        self._send(m.LoadBroken(run=self._run, reason=str(error)))

    def _refused(self, _: str, error: ValueError) -> None:
        self._broke(error)

    def _report(self) -> None:
        while True:
            self._changed.wait(PROGRESS_SECONDS)
            self._changed.clear()
            if self._load is not None:
                self._tell_progress(self._load)

    def _tell_progress(self, load: LocustLoad) -> None:
        """Report the requests that have ended, and then the counts that include them."""
        counts = {
            name: (start, one.requests, one.failures, one.inflight, one.users, bool(one.done))
            for name, one in load.counts.items()
            if (start := self._starts.get(name))
        }
        requests, self._requests[:] = list(self._requests), []
        if not requests and counts == self._told:
            return
        self._told = counts
        for place in range(0, max(1, len(requests)), MOST_REQUESTS):
            last = place + MOST_REQUESTS >= len(requests)
            part = requests[place : place + MOST_REQUESTS]
            self._send(m.LoadProgress(self._run, part, counts if last else {}))
