"""What tests do inside Locust's web page, whose import patches the process.

`python -m tests.locust_plugin.inside_web NAME` prints what NAME found, as JSON.
`python -m tests.locust_plugin.inside_web serve HOST PORT` is a page for Prometheus to
scrape: scripted figures, ten times a second, until it is terminated.
"""

import json
import os
import re
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import gevent
import locust
from flask_login import UserMixin, login_user
from locust.argument_parser import get_parser
from locust.env import Environment
from locust.web import WebUI

from ipvsload.locust_plugin.metrics import prometheus as metrics
from ipvsload.locust_plugin.metrics.request_counter import RequestCounter
from ipvsload.record.format import Sample
from tests.locust_plugin.scripted import NODE, busy, requests, two


def page(host: str = "127.0.0.1", port: int = 0, base: str = "", login: bool = False) -> WebUI:
    """Locust's page, not yet started."""
    options = get_parser().parse_args(["--web-base-path", base, *["--web-login"] * login])
    environment = Environment(events=locust.events, parsed_options=options)
    environment.create_local_runner()
    return environment.create_web_ui(
        host, port, web_base_path=base, web_login=login, delayed_start=True
    )


def with_metrics(web_ui: WebUI) -> WebUI:
    counter = RequestCounter()
    requests(counter)
    metrics.install(
        web_ui,
        metrics.TableAndLoad(
            counter,
            samples=lambda: {NODE: two(conns=100)},
            up=lambda: True,
            users=lambda: {"ShortUser": 7},
            now_us=lambda: 0,
        ),
    )
    return web_ui


def plain() -> Any:
    client = with_metrics(page()).app.test_client()
    answer = client.get("/metrics")
    below = with_metrics(page(base="/swarm")).app.test_client()
    wish = {"Accept": "application/openmetrics-text; version=1.0.0"}
    return {
        "status": answer.status_code,
        "type": answer.content_type,
        "text": answer.text,
        "open": client.get("/metrics", headers=wish).content_type,
        "post": client.post("/metrics").status_code,
        "below a base path": [below.get(p).status_code for p in ("/metrics", "/swarm/metrics")],
    }


def login() -> Any:
    os.environ["METRICS_TOKEN"] = "hush"
    web_ui = with_metrics(page(login=True))
    web_ui.app.config["SECRET_KEY"] = "tests"

    class Somebody(UserMixin):
        id = "somebody"

    web_ui.login_manager.user_loader(lambda name: Somebody())

    @web_ui.app.route("/enter")
    def enter() -> str:
        login_user(Somebody())
        return "welcome"

    block = re.search(r"```python\n(.*?)```", Path("docs/prometheus.md").read_text(), re.S)
    assert block
    exec(compile(block[1], "docs/prometheus.md", "exec"), {})
    locust.events.init.fire(environment=web_ui.environment, runner=None, web_ui=web_ui)

    def ask(path: str, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = web_ui.app.test_client().get(path, headers=headers)
        if answer.status_code == 302:
            return [302, answer.headers["Location"].split("?")[0]]
        return answer.status_code

    member = web_ui.app.test_client()
    member.get("/enter")
    return {
        "nobody": ask("/metrics"),
        "wrong token": ask("/metrics", "hüsh"),
        "token": ask("/metrics", "hush"),
        "logged in": member.get("/metrics").status_code,
        "token elsewhere": ask("/stats/requests", "hush"),
    }


def serve(host: str, port: str) -> Any:
    """100 short and 10 long requests a second; 100 and 300 connections for the servers.

    After the fourth scrape the service is made anew, and its counters with it.
    """
    counter, start = RequestCounter(), time.monotonic()
    conns = scrapes = 0

    def now_us() -> int:
        return int((time.monotonic() - start) * 1e6)

    def samples() -> dict[str, Sample]:
        nonlocal conns, scrapes
        found = {NODE: two(conns=conns, t_us=now_us())}
        scrapes += 1
        if scrapes == 4:
            conns = 0
        return found

    web_ui = page(host, int(port))
    metrics.install(
        web_ui,
        metrics.TableAndLoad(
            counter,
            samples=samples,
            up=lambda: True,
            users=lambda: {"ShortUser": 7, "LongUser": 2},
            now_us=now_us,
            occupancy=lambda: busy(now_us()),
        ),
    )
    web_ui.start()
    for tick in count(1):
        gevent.sleep(max(0, start + tick / 10 - time.monotonic()))
        requests(counter)
        conns += 10


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    print(json.dumps(globals()[name](*arguments)))  # noqa: T201
