"""Locust's web page with ours on it, over a simulated balancer: a process of its own.

`python -m tests.locust_plugin.page_server --servers 2 --past 90` prints the page's address
and serves until its stdin is closed. Lines on stdin: `begin`, `end VERDICT`,
`trouble TEXT`, `silence`, `past SECONDS`, `hold` (time goes on by `past` only),
`cpu`; each is answered by a line.
"""

import argparse
import resource
import sys
import time
from typing import Any

import gevent
from gevent.fileobject import FileObject
from locust import User, constant, task
from locust.env import Environment
from locust.web import WebUI

from ipvsload.ipvs.ipvsadm import listing
from ipvsload.locust_plugin.live import LiveFeed
from ipvsload.locust_plugin.web.routes import install
from tests.locust_plugin.simulated import STEP_US, Balancer


class Idle(User):
    """Locust's start form wants one."""

    wait_time = constant(1)

    @task
    def nothing(self) -> None:
        pass


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--past", type=int, default=0)
    parser.add_argument("--idle", action="store_true")
    parser.add_argument("--base", default=None)
    parser.add_argument("--login", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    del sys.argv[1:]  # Locust's page reads them, too
    return options


def page(options: argparse.Namespace) -> tuple[WebUI, Balancer]:
    """Locust's web page, not yet started, and what is behind ours."""
    parsed = argparse.Namespace(
        web_base_path=options.base, num_users=1, spawn_rate=1, run_time=None,
        stats_history_enabled=False,
    )  # fmt: skip
    environment = Environment(user_classes=[Idle], host="http://192.0.2.80", parsed_options=parsed)
    environment.create_local_runner()
    web_ui: WebUI = WebUI(
        environment, "127.0.0.1", options.port, options.base, options.login, delayed_start=True
    )
    balancer = Balancer(LiveFeed(), options.servers, options.workers)
    install(
        web_ui,
        balancer.feed,
        balancer,
        lambda: balancer.now_us,
        lambda: listing(
            {balancer.last.node: balancer.last.services} if balancer.last else {},
            {row.address: ", ".join(row.conditions) for row in balancer.feed.rows()},
        ),
    )
    return web_ui, balancer


def past(balancer: Balancer, seconds: float) -> None:
    for _ in range(int(seconds * 1e6 / STEP_US)):
        balancer.step()


def go_on(balancer: Balancer) -> None:
    due = time.monotonic()
    while True:
        due += STEP_US / 1e6
        gevent.sleep(max(0, due - time.monotonic()))
        balancer.step()


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    options = arguments()
    web_ui, balancer = page(options)
    if not options.idle:
        balancer.begin()
    past(balancer, options.past)
    web_ui.start()
    while web_ui.server is None or not web_ui.server.started:
        gevent.sleep(0.01)
    going = gevent.spawn(go_on, balancer)
    say(f"http://127.0.0.1:{web_ui.server.server_port}{options.base or ''}")
    for line in FileObject(sys.stdin.buffer, "rb"):
        word, _, rest = line.decode().strip().partition(" ")
        answer: Any = "done"
        match word:
            case "begin":
                balancer.begin()
            case "end":
                balancer.end(rest)
            case "trouble":
                balancer.feed.trouble(rest)
            case "silence":
                balancer.silent = True
            case "hold":
                going.kill()
            case "past":
                past(balancer, float(rest))
            case "cpu":
                answer = cpu()
        say(answer)


def say(text: object) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
