"""What tests do inside Locust, which patches the process: each in a process of its own.

`python -m tests.load.inside_locust NAME HOST PORT` prints what NAME found, as JSON.
"""

import gc
import json
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import gevent
from locust.env import Environment
from locust.stats import RequestStats

from ipvsload import IpvsUser, LongUser, ShortUser
from ipvsload.errors import UsageError
from ipvsload.load.base import LoadListener
from ipvsload.load.locust_internals import keep_fractions_of_milliseconds, log_requests
from ipvsload.load.locust_load import LocustLoad
from ipvsload.load.tcp_connect import Sockets
from ipvsload.record.format import Request
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import HttpTarget
from tests.load.real import BoundSockets
from tests.load.sending import until

Target = tuple[str, int]


def count(environment: Environment, name: str) -> dict[str, Any]:
    """What Locust's statistics have of one path."""
    entry = environment.stats.get(name, "GET")
    return {
        "requests": entry.num_requests,
        "failures": entry.num_failures,
        "max": entry.max_response_time,
        "median": entry.median_response_time,
        "errors": sorted(str(e.error) for e in environment.stats.errors.values() if e.name == name),
    }


def env(target: Target, *classes: type[IpvsUser], **options: Any) -> Environment:
    host = f"http://{target[0]}:{target[1]}"
    environment = Environment(user_classes=list(classes), host=host, **options)
    environment.create_local_runner()
    return environment


def runner(target: Target) -> Any:
    """Start, stop with requests in flight, start again, quit."""

    class Long(LongUser):
        path = "/delay/0.3"

    class Short(ShortUser):
        path = "/get?x=1"
        connection = "keep-alive"

    environment = env(target, Long, Short)
    servers = set()
    environment.events.request.add_listener(
        lambda context, **_: servers.add(context["real_server"])
    )
    rounds = []
    for _ in range(2):
        environment.runner.start(4, 100)
        until(lambda: environment.runner.user_count == 4)
        until(lambda: count(environment, Short.path)["requests"] > 50)
        users = environment.runner.user_classes_count
        environment.runner.stop()
        rounds.append(
            {"users": users, **{c.path: count(environment, c.path) for c in (Long, Short)}}
        )
    environment.runner.quit()
    return {"rounds": rounds, "servers": sorted(servers)}


def statistics(_: Target) -> Any:
    """What Locust's statistics have of requests one by one, and in batches."""
    keep_fractions_of_milliseconds()
    latencies_us = [130, 131, 90, 2_400, 12_345, 130, 7, 800_000, 131]
    found = []
    now = 1_000.4
    time.time = lambda: now
    for batch in (1, 3, 9):
        now = 1_000.4
        counted = RequestStats()
        for place in range(0, 9, batch):
            some = latencies_us[place : place + batch]
            if batch == 1:
                counted.log_request("GET", "/", some[0] / 1000, 5)
            else:
                log_requests(counted, "GET", "/", some, 5 * batch)
        now += 1
        if batch == 1:
            counted.log_request("GET", "/", 0.5, 7)
        else:
            log_requests(counted, "GET", "/", [500], 7)
        entries = (counted.total, counted.get("/", "GET"))
        cache = [list((one.response_times_cache or {}).items()) for one in entries]
        sums = [one.serialize() for one in entries]
        for one in sums:
            one["total_response_time"] = round(one["total_response_time"], 6)
        found.append(repr((sums, cache)).replace("Counter", "defaultdict"))
    return [len(set(found)), *found]


def retries(target: Target) -> Any:
    """What `retry` of a user class comes to."""

    class Kept(ShortUser):
        connection = "keep-alive"

    class Once(Kept):
        retry = False

    class New(ShortUser):
        retry = False

    found: dict[str, Any] = {one.__name__: one._spec().retry for one in (Kept, Once)}
    try:
        New._spec()
    except UsageError as error:
        found["New"] = str(error)

    class Varied(ShortUser):
        path = "/delay/{work}"
        work = "exponential 20ms"
        connection = {"keep-alive": "100 requests"}  # noqa: RUF012  # as a locustfile has it

    class Odd(ShortUser):
        path = "/delay/{work}"
        work = "exponential"

    spec = Varied._spec()
    found["Varied"] = [spec.work and spec.work.text, spec.lifetime and spec.lifetime.requests]
    try:
        Odd._spec()
    except UsageError as error:
        found["Odd"] = str(error)
    return found


def budget(target: Target) -> Any:
    """A budget that users share, although half of them come later, when it is spent."""

    class Some(ShortUser):
        path = "/delay/0.01"
        requests = 30

    environment = env(target, Some)
    totals = []
    for enough in (30, 5, 30):
        environment.runner.start(4, 2)
        until(lambda: environment.runner.user_count > 0)
        if enough == 30:
            environment.runner.spawning_greenlet.join()
            until(lambda: environment.runner.user_count == 0)
        # A lambda cannot annotate its default.
        until(lambda enough=enough: count(environment, Some.path)["requests"] >= enough)  # type: ignore[misc]
        environment.runner.stop()
        totals.append(count(environment, Some.path))
    environment.runner.quit()
    return totals


def impatient(target: Target) -> Any:
    """A stop timeout that is over before the answer: counted as cut off."""

    class Long(LongUser):
        path = "/delay/30"

    environment = env(target, Long, stop_timeout=0.05)
    environment.runner.start(3, 100)
    until(lambda: environment.runner.user_count == 3)
    gevent.sleep(0.1)
    environment.runner.quit()
    return count(environment, Long.path)


def thinking(target: Target) -> Any:
    """A user's wait time, its hooks, and a stop while it thinks."""
    seen: list[str] = []

    class Slow(ShortUser):
        def wait_time(self) -> float:
            return 0.01 if len(seen) < 4 else 3600

        def on_start(self) -> None:
            seen.append("start")

        def on_stop(self) -> None:
            seen.append("stop")

    environment = env(target, Slow)
    environment.events.request.add_listener(lambda **_: seen.append("request"))
    environment.runner.start(1, 1)
    until(lambda: len(seen) >= 4)
    environment.runner.quit()
    return seen


def failing(target: Target) -> Any:
    """A user whose hook raises is an exception in Locust's list, and others go on."""

    class Bad(ShortUser):
        def on_start(self) -> None:
            raise RuntimeError("no good")

    class Good(ShortUser):
        path = "/get"

    environment = env(target, Bad, Good)
    environment.runner.start(2, 100)
    until(lambda: count(environment, Good.path)["requests"] > 10)
    environment.runner.quit()
    return [e["msg"] for e in environment.runner.exceptions.values()]


class Loaded:
    """A LocustLoad and what it told."""

    def __init__(
        self,
        target: Target,
        sockets: Sockets | None = None,
        on_finished: Callable[[Sequence[Request]], None] | None = None,
        **traffic: Any,
    ) -> None:
        self.requests: list[Request] = []
        self.done: list[str] = []
        self.errors: list[Exception] = []
        self.origin = time.monotonic_ns()
        self.load = LocustLoad(
            {name: Traffic(**spec) for name, spec in traffic.items()},
            HttpTarget(*target),
            LoadListener(
                run=7,
                zero_ns=self.origin,
                on_finished=on_finished or self.requests.extend,
                on_done=self.done.append,
                on_error=self.errors.append,
            ),
            sockets=sockets,
        )


def load_to_the_end(target: Target) -> Any:
    """Two classes, closed and open, from start to close."""
    loaded = Loaded(
        target,
        BoundSockets([target[0]]),
        short={"users": 10, "requests": 100},
        open={"rate": 500, "requests": 20, "request": "GET /status/404"},
    )
    load = loaded.load
    assert gc.get_freeze_count() > 10_000  # a collection looks at little, and stops nothing long
    before = {name: counts.done for name, counts in load.counts.items()}
    load.start("short")
    load.start("open")
    classes = load.counts.values()
    until(lambda: all(counts.done for counts in classes))
    load.finish(5)
    counts = {
        name: [c.requests, c.failures, c.inflight, c.users] for name, c in load.counts.items()
    }
    overloads = load.overloads()
    load.close()
    found = {
        "before": before,
        "counts": counts,
        "done": sorted(loaded.done),
        "requests": loaded.requests,
        "overloads": overloads,
        "errors": len(loaded.errors),
    }
    once = weakref.ref(load)
    del loaded, load
    gc.collect()
    assert once() is None  # only the program's objects are kept for ever
    return found


def load_cut_off(target: Target) -> Any:
    """Stop, finish without patience, and close, with requests in flight."""
    loaded = Loaded(
        target,
        long={"users": 3, "request": "GET /delay/0.2"},
        stuck={"users": 2, "request": "GET /delay/60", "timeout": 0.3},
        endless={"users": 2, "request": "GET /delay/59"},
    )
    load = loaded.load
    load.start("long")
    load.start("stuck")
    until(lambda: load.counts["long"].inflight == 3 and load.counts["stuck"].inflight == 2)
    load.stop("long")
    load.finish(5)
    finished = sorted((r.traffic, r.status, r.error) for r in loaded.requests)
    load.start("endless")
    until(lambda: load.counts["endless"].inflight == 2)
    load.close()
    return {"finished": finished, "all": sorted((r.traffic, r.error) for r in loaded.requests)}


def load_with_a_full_disk(target: Target) -> Any:
    """The recorder raises, again and again."""

    def full(requests: Sequence[Request]) -> None:
        raise OSError(28, "No space left on device")

    loaded = Loaded(target, None, full, short={"users": 5})
    loaded.load.start("short")
    until(lambda: bool(loaded.errors))
    loaded.load.close()
    return [str(error) for error in loaded.errors]


if __name__ == "__main__":
    name, host, port = sys.argv[1:]
    found: Callable[[Target], Any] = globals()[name]
    with gevent.Timeout(60):
        print(json.dumps(found((host, int(port)))))  # noqa: T201
