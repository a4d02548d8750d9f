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
from ipvsload.scenario.scenario_files import ScenarioFiles
from ipvsload.this_machine import refuse_too_many_users

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
        listen = partial(m.listen, runner, refused=lambda _, error: self._broke(error))
        for kind in (m.BeginLoad, m.StartClass, m.StopClass, m.SendBurst, m.CloseLoad, m.ClockPing):
            listen(kind, self._heard)
        listen(m.FinishLoad, self._heard, concurrent=True)
        gevent.spawn(self._report)

    @property
    def running(self) -> bool:
        """Whether there is a run's load."""
        return self._load is not None

    def close(self) -> None:
        """End a run's load; calling it again does nothing."""
        if self._load is not None:
            self._load.close()
            self._tell_progress(self._load)
            self._load = None

    # Messages of the master

    def _heard(self, _: str, message: m.WorkerMessage) -> None:
        load = self._load
        match message:
            case m.ClockPing():
                self._send(m.ClockPong(number=message.number, time_ns=time.monotonic_ns()))
            case m.BeginLoad():
                self._begin(message)
            case m.StartClass() if load:
                self._starts[message.traffic_class] = message.number
                load.start(message.traffic_class, message.first, message.step)
                self._changed.set()
            case m.StopClass() if load:
                load.stop(message.traffic_class)
                self._changed.set()
            case m.SendBurst():
                sender = load or environment_load(self._environment)
                sender.burst(message.requests, message.seconds)
            case m.FinishLoad() if load:
                load.finish(message.grace, message.soon)
                self._tell_progress(load)
                self._send(m.LoadFinished(run=self._run, overloads=load.overloads()))
            case m.CloseLoad():
                self.close()

    def _begin(self, message: m.BeginLoad) -> None:
        self.close()
        self._run, self._requests, self._starts, self._told = message.run, [], {}, {}
        trouble = ""
        try:
            # Files that it names are looked at here, too: this may be another machine.
            files = ScenarioFiles(Path("/"))
            traffic = {
                name: Traffic.of_share(spec, files) for name, spec in message.traffic.items()
            }
            refuse_too_many_users(traffic)
            self._load = LocustLoad(
                traffic,
                message.target,
                LoadListener(
                    self._run,
                    zero_ns=0,
                    on_finished=self._requests.extend,
                    on_done=lambda _: self._changed.set(),
                    on_error=self._broke,
                ),
                message.key,
                sockets=self._sockets.of_run(message.broker),
                environment=self._environment,
            )
        except IpvsloadError as error:
            trouble = str(error)
        self._send(m.LoadBegun(run=self._run, trouble=trouble, boot=boot_id()))

    # Messages to the master

    def _broke(self, error: Exception) -> None:
        self._send(m.LoadBroken(run=self._run, reason=str(error)))

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
