"""A scenario's traffic as Locust users, started and stopped at once.

Locust's own ramp-up works in steps of a second and cannot change the mix of
user classes by itself. Its runner's `spawn_users` starts an exact number of
users at once, as a timeline needs it. Where nobody looks at Locust's
statistics, requests are not reported to them: a run has records of its own, and
reporting takes a sixth of a request's time.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import gevent
from locust.env import Environment

from ipvsload.descriptors import raise_limit
from ipvsload.load.base import LoadListener
from ipvsload.load.burst_traffic import BURST, burst_traffic
from ipvsload.load.connection_watch import ConnectionWatch
from ipvsload.load.finished_batch import FinishedBatch
from ipvsload.load.http_client import HttpClient
from ipvsload.load.locust_report import report
from ipvsload.load.overload import Overload
from ipvsload.load.tcp_connect import Sockets
from ipvsload.load.users import WorkloadUser
from ipvsload.load.workload import Workload
from ipvsload.program_objects import set_apart
from ipvsload.record.format import Request
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import HttpTarget

_SPAWNED_AT_ONCE = 200
"""Users: with more the loop of requests would wait for too long."""


class LocustLoad:
    """The traffic classes of one run against one target.

    Args:
        traffic: the classes by name.
        target: where the virtual service is.
        listener: hears of the load; its `on_error` also of what the others of it raise.
        key: what is drawn at random is drawn by this.
        sockets: where its connections come from.
        environment: its runner has the users, and its statistics count their
            requests. Without it the users have a runner of their own and no
            statistics.
        watch: told of its connections; None: nobody is.
    """

    clocks: tuple[()] = ()
    """None: these users are in this process."""

    def __init__(
        self,
        traffic: Mapping[str, Traffic],
        target: HttpTarget,
        listener: LoadListener,
        key: str = "",
        *,
        sockets: Sockets | None = None,
        environment: Environment | None = None,
        watch: ConnectionWatch | None = None,
    ) -> None:
        raise_limit()
        set_apart()
        self._listener = listener
        self._key = key
        self._client = HttpClient(target, sockets, on_error=listener.on_error, watch=watch)
        self._reports = environment is not None
        if environment is None:
            environment = Environment(host=str(target), stop_timeout=1)
            environment.create_local_runner()
        self._environment = environment
        self._finished = self._batch(listener.on_finished)
        self._workloads = {name: self._workload(name, spec) for name, spec in traffic.items()}
        self.counts = self._workloads.copy()
        host = str(target)
        classes = [user_class(name, workload, host) for name, workload in self._workloads.items()]
        environment.user_classes = classes
        self._overload = Overload(self._client)
        self._spawning: dict[str, gevent.Greenlet] = {}

    def start(self, name: str, first: int = 0, step: int = 1) -> None:
        """Start a class: its users, or every `step`th of its arrivals, from `first` on."""
        workload = self._workloads[name]
        spawn = self._environment.runner.spawn_users
        # Which may wait, and the client's loop must not.
        workload.start(0, first, step, add=lambda count: gevent.spawn(spawn, {name: count}))
        if workload.spec.users and not workload.spec.user_stages:
            users = workload.spec.most_users
            spawn({name: min(users, _SPAWNED_AT_ONCE)})
            if name in self._spawning:  # of a start before
                self._spawning.pop(name).kill()
            if users > _SPAWNED_AT_ONCE:
                others = gevent.spawn(self._spawn, name, users - _SPAWNED_AT_ONCE)
                self._spawning[name] = others

    def _spawn(self, name: str, users: int) -> None:
        while users > 0:
            gevent.sleep(0.001)  # with 0 nothing that waits for a time would have its turn
            self._environment.runner.spawn_users({name: min(users, _SPAWNED_AT_ONCE)})
            users -= _SPAWNED_AT_ONCE

    def stop(self, name: str) -> None:
        """Send no new requests of this class; those in flight finish."""
        self._workloads[name].stop()

    def finish(self, grace: float, soon: bool = False) -> None:
        """Stop every class and wait for what is in flight.

        Waits each class's own timeout and `grace` seconds at most, or with
        `soon` only these; what is left then is recorded as "cut off".
        """
        for workload in self._workloads.values():
            workload.stop()
        gevent.joinall(
            [
                gevent.spawn(workload.finish, grace + (0.0 if soon else workload.spec.timeout))
                for workload in self._workloads.values()
                if workload.inflight
            ]
        )

    def overloads(self) -> list[str]:
        """Each reason why the generator was too busy for its figures to count."""
        return self._overload.reasons()

    def close(self) -> None:
        """Cut off what is in flight and end the users."""
        self._overload.close()
        gevent.killall(list(self._spawning.values()))
        for workload in self._workloads.values():
            workload.finish(0)
        if not self._reports:
            self._environment.runner.quit()
        self._client.close()

    def burst(self, requests: int, seconds: float) -> None:
        """Send `requests` requests at once, each held open for `seconds`."""
        workload = self._workload(BURST, burst_traffic(requests, seconds))
        # Kept like a class, so that `finish` waits for it.
        self._workloads[f"{BURST} {len(self._workloads)}"] = workload
        workload.start()

    def _workload(self, name: str, spec: Traffic) -> Workload:
        finished = self._finished
        if self._reports:
            finished = self._batch(partial(self._report, spec))
        on_done = self._listener.on_done
        return Workload(name, spec, self._client, finished, on_done, key=self._key)

    def _batch(self, hand_on: Callable[[list[Request]], None]) -> FinishedBatch:
        return FinishedBatch(hand_on, self._listener.run, self._listener.zero_ns)

    def _report(self, spec: Traffic, requests: list[Request]) -> None:
        report(self._environment, spec, requests)
        self._listener.on_finished(requests)


def user_class(name: str, workload: Workload, host: str) -> type[WorkloadUser]:
    """A class of Locust users whose requests `workload` sends to `host`."""
    attributes: dict[str, Any] = {
        "host": host,
        "workload": lambda self: workload,
        "__doc__": f"A user of class {name}.",
    }
    return type(name, (WorkloadUser,), attributes)
