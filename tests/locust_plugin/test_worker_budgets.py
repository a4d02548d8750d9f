"""`requests` of a user class in somebody's own locustfile, with workers."""

import json
from pathlib import Path
from typing import Any

from tests.load.real import RealServers
from tests.locust_plugin.command import Command

FILE = """
from ipvsload import ShortUser, watch

watch()


class Some(ShortUser):
    requests = 1001


class Few(ShortUser):
    path = "/get"
    requests = 7
"""
WHOLE = {"/ip": 1001, "/get": 7}


def counts(command: Command) -> dict[str, int]:
    stats = json.loads(command.ask("/stats/requests")[2])["stats"]
    return {row["name"]: row["num_requests"] for row in stats if row["name"] in WHOLE}


def users(command: Command) -> Any:
    return json.loads(command.ask("/stats/requests")[2])["user_count"]


def test_a_budget_is_over_all_workers_and_whole_in_each_test(tmp_path: Path) -> None:
    file = tmp_path / "budget.py"
    file.write_text(FILE)
    with RealServers() as servers:
        host, port = servers.add()
        words = ("-H", f"http://{host}:{port}", "--processes", "3")
        with Command(tmp_path, file, *words) as command:
            command.eventually(command.serving, "the page")
            command.until("3 workers connected")
            for _ in range(2):
                # Users that do not divide evenly among the workers.
                assert command.swarm(user_count="4", spawn_rate="100")["success"]
                command.eventually(lambda: counts(command) == WHOLE, "the whole budget")
                command.eventually(lambda: users(command) == 0, "the users' end")
                assert counts(command) == WHOLE
                command.ask("/stop", b"")
                command.eventually(lambda: command.state() == "stopped", "the end of the test")
    assert "Traceback" not in command.log
