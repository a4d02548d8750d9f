"""Locust's web page over the real kernel: starting, steering, stopping, and what is refused."""

import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.locust_plugin.command import LOCUSTFILES, Command
from tests.locust_plugin.test_command import SPLITS, quick, split

pytestmark = pytest.mark.kernel

SKEW, MIXED = LOCUSTFILES / "skew.py", LOCUSTFILES / "mixed.py"
USERS = {"user_count": "10", "spawn_rate": "10"}

__all__ = ["quick"]  # a fixture


def started(command: Command, **form: str) -> None:
    command.eventually(command.serving, "the page")
    answer = command.swarm(**form)
    assert answer["success"], answer
    command.eventually(lambda: command.state() == "running", "a running test")


def requests(command: Command) -> int:
    return int(json.loads(command.ask("/stats/requests")[2])["stats"][-1]["num_requests"])


def counted(command: Command) -> list[int]:
    """Connections of each server, as the page has them from the kernel."""
    counts: list[int] = command.frame()["connections"]
    return counts[1::2]


def foretold(command: Command) -> list[float]:
    """The same, as the page has them from the model."""
    found = command.frame()["prediction"]
    assert found["why"] == ""
    return [mean for _, mean, _, _ in sorted(found["servers"])]


def test_scenarios_one_after_the_other(quick: str, tmp_path: Path) -> None:
    with Command(tmp_path, SKEW, "--scenario", quick) as command:
        # The second wants another lab: one with two client addresses.
        for scheduler, clients in (("rr", "1"), ("lc", "2")):
            started(command, scheduler=scheduler, clients=clients)
            command.eventually(lambda: command.state() == "stopped", "the end")
            frame = command.frame()
            assert frame["scheduler"] == scheduler
            assert frame["test"]["verdict"] == "2 expectations held in 1 run"
            # Beside the kernel the model has made the same split, to the connection.
            command.eventually(lambda: foretold(command) == counted(command), "the prediction")
            assert sorted(foretold(command)) == sorted(one for one, _ in SPLITS[scheduler])
            time.sleep(1.1)  # two records in one second would share a name but for a number
        command.interrupt()
        assert command.wait() == 0, command.log
    assert "Traceback" not in command.log
    found = [json.loads(p.read_text()) for p in sorted(tmp_path.glob("runs/*/results.json"))]
    assert [split(results) for results in found] == [SPLITS["rr"], SPLITS["lc"]]


def test_stop_ends_a_scenario_and_what_is_changed_by_hand_does_not_count(tmp_path: Path) -> None:
    with Command(tmp_path, SKEW) as command:
        started(command)
        time.sleep(0.5)
        assert command.control(do="set_scheduler", scheduler="lc") == (
            200,
            {"done": "scheduler lc"},
        )
        status, answer = command.control(do="set_mix", weights={"long": 1})
        assert (status, answer["error"]) == (
            400,
            "the scenario decides how many users there are",
        )
        assert command.control(do="burst", requests=3, seconds=0.1)[0] == 200
        time.sleep(0.5)
        began = time.monotonic()
        command.ask("/stop", b"")
        assert time.monotonic() - began < 8, "it waited for ten-second requests"
        # Locust keeps an answer for two seconds.
        command.eventually(lambda: command.state() == "stopped", "the end")
        status, answer = command.control(do="scale", servers=2)
        assert "no test is running" in answer["error"]
        command.interrupt(signal.SIGTERM)
        assert command.wait() == 4, command.log
    (run,) = command.results()["runs"]
    assert "interrupted" in run["reasons"]
    assert any(
        re.search(r"changed by hand: scheduler lc at .*; burst of 3 x 0.1 s at", reason)
        for reason in run["reasons"]
    )
    assert run["traffic"]["burst"]["requests"] == 3


def test_every_control_is_in_the_kernels_table(tmp_path: Path) -> None:
    with Command(tmp_path, MIXED, "--servers", "2") as command:
        started(command, **USERS)

        def shows(what: str, condition: Any) -> None:
            command.eventually(lambda: condition(command.frame()), what)

        def weights(frame: dict[str, Any]) -> list[int]:
            return [weight for *_, weight in frame["servers"]]

        shows("two servers", lambda frame: weights(frame) == [1, 1])
        assert command.control(do="set_scheduler", scheduler="wlc")[0] == 200
        command.eventually(lambda: ":80 wlc" in command.ask("/ipvs/table")[2], "wlc")
        shows("wlc", lambda frame: frame["scheduler"] == "wlc")
        assert command.control(do="reweigh", server=1, weight=7)[0] == 200
        shows("weight 7", lambda frame: weights(frame) == [7, 1])
        assert command.control(do="scale", servers=3)[0] == 200
        shows("three servers", lambda frame: weights(frame) == [7, 1, 1])
        status, answer = command.control(do="scale", servers=900)
        assert status == 400
        assert "no room for 900 servers" in answer["error"]
        shows("nothing changed", lambda frame: weights(frame) == [7, 1, 1])
        assert command.control(do="set_mix", weights={"Long": 1, "Short": 0})[0] == 200
        command.eventually(
            lambda: 'ipvsload_users{user_class="Short"} 0' in command.ask("/metrics")[2],
            "ten users, all of them long",
        )
        assert command.control(do="set_mix", weights={"Long": 0, "Short": 0})[0] == 400
        assert command.control(do="set_mix", weights={"Tall": 1})[0] == 400
        assert command.control(do="burst", requests=40, seconds=1.5)[0] == 200
        status, _, text = command.ask("/metrics")
        assert status == 200
        assert "ipvsload_sidecar_up 1.0" in text
        assert command.control(do="kill", server=3)[0] == 200
        command.eventually(lambda: "refused" in command.ask("/stats/requests")[2], "a failure")
        shows("the mark", lambda frame: [s[0] for s in frame["spells"]["3"]] == ["killed"])
        command.ask("/stop", b"")


def test_what_a_form_may_not_say_leaves_the_load_alone(tmp_path: Path) -> None:
    with Command(tmp_path, MIXED) as command:
        started(command, **USERS)
        before = requests(command)
        for form, said in (
            ({"servers": "abc"}, "a whole number from 0 to 1000"),
            ({"servers": "-3"}, "a whole number from 0 to 1000"),
            ({"scheduler": "best"}, "one of rr, wrr"),
            ({"host": "http://192.0.2.99"}, "for another balancer start locust with -H"),
            ({"host": "javascript:alert(1)"}, "expected http://ADDRESS[:PORT]"),
            ({"user_count": "many"}, "must be an integer"),
        ):
            answer = command.swarm(**{**USERS, **form})
            assert not answer["success"]
            assert said in answer["message"]
        assert command.state() == "running"
        command.eventually(lambda: requests(command) > before, "load that goes on")
        # A sidecar is a program: no form starts one.
        marker = tmp_path / "started-by-a-form"
        assert command.swarm(**USERS, sidecar=f"touch {marker}")["success"]
        command.ask("/stop", b"")
        started(command, **USERS)
        assert not marker.exists()


def test_the_class_picker_plays_the_scenario_or_runs_its_classes(
    quick: str, tmp_path: Path
) -> None:
    with Command(tmp_path, SKEW, "--class-picker", "--scenario", quick) as command:
        started(command, **USERS, user_classes="short", shape_class="Default")
        command.eventually(lambda: requests(command) > 20, "requests")
        names = {entry["name"] for entry in json.loads(command.ask("/stats/requests")[2])["stats"]}
        assert names == {"/ip", "Aggregated"}
        command.ask("/stop", b"")
        started(command, **USERS, shape_class="Skew")
        command.eventually(lambda: command.state() == "stopped", "the end")
    assert split(command.results()) == SPLITS["rr"]


def test_autostart_and_autoquit(quick: str, tmp_path: Path) -> None:
    words = ("--autostart", "--autoquit", "0", "--scheduler", "lc", "--scenario", quick)
    with Command(tmp_path, SKEW, *words) as command:
        assert command.wait() == 0, command.log
    assert split(command.results()) == SPLITS["lc"]


def test_workers_under_the_web_page(tmp_path: Path) -> None:
    with Command(tmp_path, MIXED, "--processes", "2") as command:
        started(command, **USERS)
        command.eventually(lambda: command.frame()["test"]["split"], "a split")
        assert command.frame()["prediction"]["why"].startswith("workers make the load")
        assert command.control(do="burst", requests=5, seconds=0.5)[0] == 200

        def burst() -> bool:
            text = command.ask("/metrics")[2]
            found = re.findall(r'requests_total\{class="burst",outcome="ok".*\} (\d+)', text)
            return sum(map(int, found)) == 5

        command.eventually(burst, "five requests of a burst")
        # Long requests are in flight, of users who have to go: none is cut off.
        assert command.control(do="set_mix", weights={"Long": 0, "Short": 1})[0] == 200
        command.eventually(
            lambda: 'ipvsload_users{user_class="Long"} 0' in command.ask("/metrics")[2], "no Long"
        )
        command.ask("/stop", b"")
        assert json.loads(command.ask("/stats/requests")[2])["fail_ratio"] == 0
        # And again: the workers are still there.
        command.eventually(lambda: command.state() == "stopped", "the end")
        started(command, **USERS)
        command.eventually(lambda: command.frame()["test"]["split"], "a split of the second test")
        command.interrupt()
        assert command.wait() == 0, command.log
    assert "Traceback" not in command.log


SHAPED = """
from locust import LoadTestShape
from ipvsload import ShortUser, watch

watch()

class Own(LoadTestShape):
    def tick(self):
        return (3, 3) if self.get_run_time() < 60 else None
"""


def test_a_shape_of_ones_own_is_started_from_the_page(tmp_path: Path) -> None:
    file = tmp_path / "shaped.py"
    file.write_text(SHAPED)
    with Command(tmp_path, file) as command:
        command.eventually(command.serving, "the page")
        started(command, scheduler="lc")
        command.eventually(lambda: command.frame()["test"]["split"], "a split")
        command.interrupt()
        assert command.wait() == 0, command.log
    assert "Traceback" not in command.log


def test_another_site_cannot_start_a_test(tmp_path: Path) -> None:
    with Command(tmp_path, MIXED) as command:
        command.eventually(command.serving, "the page")
        form, foreign = b"user_count=1&spawn_rate=1", {"Sec_Fetch_Site": "cross-site"}
        answer = json.loads(command.ask("/swarm", form, **foreign)[2])
        assert (answer["success"], "another site" in answer["message"]) == (False, True)
        assert command.state() == "ready"
        command.interrupt()
        assert command.wait() == 0, command.log


def test_sigterm_ends_a_master_that_waits_for_workers(tmp_path: Path) -> None:
    words = ("--headless", "--master", "--expect-workers", "1")
    with Command(tmp_path, SKEW, *words) as command:
        command.until("Waiting for workers")
        command.interrupt(signal.SIGTERM)
        assert command.wait() == 4, command.log
    assert "Traceback" not in command.log


def test_a_page_of_a_master_without_workers_says_so(tmp_path: Path) -> None:
    with Command(tmp_path, SKEW, "--master") as command:
        command.eventually(command.serving, "the page")
        command.swarm()
        command.until("no worker has connected yet")
        os.kill(command.process.pid, signal.SIGINT)
        assert command.wait() == 0, command.log
