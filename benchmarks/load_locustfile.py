"""Locust users for `benchmarks.load`: ours and Locust's own, which ask the same, without a pause.

`CONNECTION=new SECONDS=3 locust --headless -f benchmarks/load_locustfile.py Ours -H http://HOST`
At its end it prints, as JSON, the requests, the failures, and the seconds and those of the
processor that they took.
"""

import json
import os
import time
from typing import Any

import gevent
from locust import FastHttpUser, HttpUser, events, task

from ipvsload import ShortUser

CONNECTION = os.environ["CONNECTION"]
HEADERS = {"Connection": "close"} if CONNECTION == "new" else {}
SECONDS = float(os.environ["SECONDS"])
RUNNERS: list[Any] = []
began = {"cpu": 0.0}


class Ours(ShortUser):
    """Ours."""

    connection = CONNECTION


class Fast(FastHttpUser):
    """Locust's with geventhttpclient."""

    @task
    def ask(self) -> None:
        """Ask."""
        self.client.get("/ip", headers=HEADERS)


class Plain(HttpUser):
    """Locust's with requests."""

    @task
    def ask(self) -> None:
        """Ask."""
        self.client.get("/ip", headers=HEADERS)


@events.spawning_complete.add_listener
def begin(user_count: int, **_: Any) -> None:
    """All users are there. Locust's own run time counts what it needs to start."""
    began["cpu"] = time.process_time()
    gevent.spawn_later(SECONDS, RUNNERS[0].quit)


@events.init.add_listener
def init(environment: Any, **_: Any) -> None:
    """The runner is there."""
    RUNNERS.append(environment.runner)


@events.test_stop.add_listener
def end(environment: Any, **_: Any) -> None:
    """The users have ended."""
    total = environment.stats.total
    seconds = total.last_request_timestamp - total.start_time
    cpu = time.process_time() - began["cpu"]
    print(json.dumps([total.num_requests, total.num_failures, seconds, cpu]))
