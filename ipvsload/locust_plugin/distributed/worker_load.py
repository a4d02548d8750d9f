"""A worker's part of a run: its share of the load, and word of it to the master.

The master plays the timeline and keeps the record. A worker makes requests and
tells of each, with its own clock's times, a few times a second, and at once
when a class is done.
"""

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event

from ipvsload.errors import IpvsloadError
from ipvsload.load.environment_load import environment_load
from ipvsload.load.locust_load import LocustLoad
from ipvsload.record.format import Request
from ipvsload.scenario.model import Traffic
from ipvsload.testbed.lab.broker_client import LabSockets, open_door

if TYPE_CHECKING:
    from locust.env import Environment

BEGIN, BEGUN = "ipvsload_begin", "ipvsload_begun"
START, STOP, BURST = "ipvsload_start", "ipvsload_stop", "ipvsload_burst"
FINISH, FINISHED, CLOSE = "ipvsload_finish", "ipvsload_finished", "ipvsload_close"
PING, PONG = "ipvsload_ping", "ipvsload_pong"
NEWS, BROKEN = "ipvsload_news", "ipvsload_broken"
NEWS_SECONDS = 0.05
MOST_ROWS = 5_000
"""Requests a message at most."""


def boot() -> str:
    """Which boot of which machine this is: equal ones share CLOCK_MONOTONIC."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class WorkerLoad:
    """Obeys the master's messages in a worker's environment."""

    def __init__(self, environment: "Environment") -> None:
        self._environment = environment
        self._send = environment.runner.send_message
        self._run = 0
        self._load: LocustLoad | None = None
        self._sockets: LabSockets | None = None
        self._rows = list[Request]()
        self._starts: dict[str, int] = {}
        self._told: Any = None
        self._news = Event()
        for name, obey, aside in (
            (BEGIN, self._begin, False),
            (START, self._start, False),
            (STOP, self._stop, False),
            (BURST, self._burst, False),
            (FINISH, self._finish, True),
            (CLOSE, self._close, False),
            (PING, self._ping, False),
        ):
            environment.runner.register_message(name, partial(_obey, obey), concurrent=aside)
        environment.events.quitting.add_listener(lambda **_: self.close())
        gevent.spawn(self._tell_news)

    def close(self) -> None:
        """Let go of a run's load; calling it again does nothing."""
        if self._load is not None:
            self._load.close()
            self._flush()
            self._load = None
        if self._sockets is not None:
            self._sockets.close()
            self._sockets = None

    # What the master says

    def _begin(self, data: dict[str, Any]) -> None:
        self.close()
        self._run, self._rows, self._starts, self._told = data["run"], [], {}, None
        trouble = ""
        try:
            self._sockets = open_door(data["door"])
            self._load = LocustLoad(
                {name: Traffic(**spec) for name, spec in data["traffic"].items()},
                tuple(data["target"]),
                sockets=self._sockets,
                environment=self._environment,
                run=self._run,
                to_us=lambda ns: ns // 1000,
                on_finished=self._rows.append,
                on_done=lambda _: self._news.set(),
                on_error=self._broke,
            )
        except IpvsloadError as error:
            trouble = str(error)
        self._send(BEGUN, {"run": self._run, "trouble": trouble, "boot": boot()})

    def _start(self, data: dict[str, Any]) -> None:
        load, name = self._load, data["class"]
        if load is None:
            return
        self._starts[name] = data["number"]
        load.start(name, data["first"], data["step"])
        self._news.set()

    def _stop(self, data: dict[str, Any]) -> None:
        if self._load is not None:
            self._load.stop(data["class"])
            self._news.set()

    def _burst(self, data: dict[str, Any]) -> None:
        if self._load is not None:
            self._load.burst(data["requests"], data["seconds"])
        else:
            environment_load(self._environment).burst(data["requests"], data["seconds"])

    def _finish(self, data: dict[str, Any]) -> None:
        load = self._load
        if load is None:
            return
        load.finish(data["grace"], data["soon"])
        self._flush()
        self._send(FINISHED, {"run": self._run, "overloads": load.overloads()})

    def _close(self, _: dict[str, Any]) -> None:
        self.close()

    def _ping(self, data: dict[str, Any]) -> None:
        self._send(PONG, {"id": data["id"], "t": time.monotonic_ns()})

    # What the master is told

    def _broke(self, error: Exception) -> None:
        self._send(BROKEN, {"run": self._run, "reason": str(error)})

    def _tell_news(self) -> None:
        while True:
            self._news.wait(NEWS_SECONDS)
            self._news.clear()
            if self._load is not None:
                self._flush()

    def _flush(self) -> None:
        """The requests that came to an end, then the counts that include them."""
        load = self._load
        if load is None:
            return
        counts = {
            name: [
                self._starts[name],
                one.requests,
                one.failures,
                one.inflight,
                one.users,
                bool(one.done),
            ]
            for name, one in load.counts.items()
            if name in self._starts
        }
        rows, self._rows[:] = list(self._rows), []
        if not rows and counts == self._told:
            return
        self._told = counts
        for place in range(0, max(1, len(rows)), MOST_ROWS):
            part = [list(row) for row in rows[place : place + MOST_ROWS]]
            last = place + MOST_ROWS >= len(rows)
            self._send(NEWS, {"run": self._run, "rows": part, "counts": counts if last else {}})


def _obey(obey: Any, *, msg: Any, **_: Any) -> None:
    obey(msg.data)
