"""Locust's users, runner and command, with our HTTP client."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipvsload.record.format import Request
from tests.load.real import RealServers, free_port
from tests.patience import HUNG_AFTER_S

Target = tuple[str, int]


def inside(name: str, target: Target) -> Any:
    """What a function of inside_locust.py found."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.inside_locust", name, target[0], str(target[1])],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_users_are_there_without_importing_locust() -> None:
    script = """
import sys, ipvsload
assert "locust" not in sys.modules
assert not hasattr(ipvsload, "TallUser")
from ipvsload import IpvsUser, LongUser, ShortUser
assert "locust" in sys.modules
assert issubclass(LongUser, IpvsUser) and issubclass(ShortUser, IpvsUser)
assert not LongUser.abstract and not ShortUser.abstract and IpvsUser.abstract
from ipvsload import *
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_locust_may_quit_twice_at_once() -> None:
    script = """
from gevent import monkey; monkey.patch_all()
import gevent
from locust.env import Environment
from ipvsload.load.environment_load import EnvironmentLoad
class Client:
    closed = 0
    def close(self):
        gevent.sleep(0.01)
        self.closed += 1
environment = Environment()
load = EnvironmentLoad(environment)
clients = [Client(), Client()]
load._clients = dict(enumerate(clients))
quits = [gevent.spawn(environment.events.quit.fire, exit_code=0) for _ in range(2)]
gevent.joinall(quits, raise_error=True)
assert [client.closed for client in clients] == [1, 1]
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def noted(tmp_path: Path) -> Iterator[Any]:
    """A real server, and a function that counts what it answered so far."""
    log = tmp_path / "log"
    with RealServers(log) as servers:
        yield servers.add(), lambda: Counter(log.read_text().split())


def test_locusts_own_runner(noted: Any) -> None:
    target, answered = noted
    found = inside("runner", target)
    for one in found["rounds"]:
        assert one["users"] == {"Long": 2, "Short": 2}
        for path in ("/delay/0.3", "/get?x=1"):
            assert one[path]["failures"] == 0
        # Fractions of a millisecond survive, in the percentiles, too.
        assert one["/get?x=1"]["median"] != round(one["/get?x=1"]["median"])
        assert one["/delay/0.3"]["max"] >= 300
    # Locust forgets the first round at the second's start; the server does not.
    for path in ("/delay/0.3", "/get?x=1"):
        assert sum(one[path]["requests"] for one in found["rounds"]) == answered()[path]
    assert found["servers"] == [f"{target[0]}:{target[1]}"]


def test_locusts_statistics_are_the_same_in_batches(target: Target) -> None:
    different, one_by_one, *_ = inside("statistics", target)
    assert "'num_requests': 10" in one_by_one
    assert different == 1, one_by_one


def test_a_kept_connection_s_request_may_be_sent_once_only(target: Any) -> None:
    found = inside("retries", target)
    assert (found["Kept"], found["Once"]) == (True, False)
    assert found["New"].startswith("New.retry: ")
    assert "keep-alive" in found["New"]
    assert found["Varied"] == ["exponential 20ms", 100]
    assert found["Odd"] == "Odd.work: expected exponential 20ms (its mean)"


def test_a_budget_is_shared_and_whole_again_in_the_next_test(noted: Any) -> None:
    target, answered = noted
    found = inside("budget", target)
    whole, stopped, again = ((one["requests"], one["failures"]) for one in found)
    assert whole == again == (30, 0)
    assert answered() == {"/delay/0.01": 60 + stopped[0]}


def test_a_stop_that_does_not_wait_counts_what_it_cuts_off(target: Target) -> None:
    found = inside("impatient", target)
    assert (found["requests"], found["failures"]) == (3, 3)
    assert found["errors"] == ["cut off"]


def test_wait_time_and_hooks(target: Target) -> None:
    assert inside("thinking", target) == ["start", "request", "request", "request", "stop"]


def test_a_hook_that_raises_is_in_locusts_list_of_exceptions(target: Target) -> None:
    assert inside("failing", target) == ["no good"]


LOCUSTFILE = """
from ipvsload import LongUser, ShortUser

class Long(LongUser):
    path = "/delay/0.2"

class Short(ShortUser):
    weight = 4
    path = "/get?x=1"
"""


def locust(directory: Path, text: str, *words: str) -> "subprocess.CompletedProcess[str]":
    path = directory / "locustfile.py"
    path.write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(path), "--headless", *words],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )


@pytest.mark.parametrize("processes", [1, 2])
def test_the_locust_command(noted: Any, tmp_path: Path, processes: int) -> None:
    target, answered = noted
    url = f"http://{target[0]}:{target[1]}"
    words: tuple[str, ...] = ("-u", "5", "-r", "5", "-t", "2s", "--json", "-H", url)
    if processes > 1:
        port = str(free_port("127.0.0.1"))
        words += ("--processes", str(processes), "--master-bind-port", port, "--master-port", port)
    done = locust(tmp_path, LOCUSTFILE, *words)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    # Workers print an empty list of their own.
    entries = {entry["name"]: entry for entry in json.loads(done.stdout.replace("[]\n", ""))}
    assert {name: entry["num_requests"] for name, entry in entries.items()} == answered()
    assert set(entries) == {"/delay/0.2", "/get?x=1"}
    for entry in entries.values():
        assert entry["num_failures"] == 0
        assert entry["min_response_time"] != round(entry["min_response_time"])
    assert entries["/delay/0.2"]["min_response_time"] >= 200


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        (LOCUSTFILE, (), "no host: give one with -H http://ADDRESS[:PORT]"),
        (LOCUSTFILE, ("-H", "ftp://a"), "host 'ftp://a': expected http://ADDRESS[:PORT]"),
        (LOCUSTFILE, ("-H", "http://a:b"), "host 'http://a:b': expected http://ADDRESS[:PORT]"),
        (
            LOCUSTFILE,
            ("-H", "http://no such name.invalid"),
            "cannot resolve the target 'no such name.invalid'",
        ),
        (
            "from ipvsload import ShortUser\nclass Short(ShortUser):\n    path = 'ip'\n",
            ("-H", "http://127.0.0.1"),
            "Short.path: String should match pattern",
        ),
        (
            "from ipvsload import ShortUser\nclass Short(ShortUser):\n    connection = 'old'\n",
            ("-H", "http://127.0.0.1"),
            "Short.connection: Input should be 'new' or 'keep-alive'",
        ),
    ],
)
def test_a_locustfile_that_cannot_work_ends_with_a_line(
    text: str, words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = locust(tmp_path, text, "-u", "2", "-r", "2", "-t", "20s", *words)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode != 0


# LocustLoad, as a run uses it


def test_a_load_from_its_start_to_its_end(target: Target) -> None:
    found = inside("load_to_the_end", target)
    assert found["before"] == {"short": False, "open": False}
    assert found["counts"] == {"short": [100, 0, 0, 0], "open": [20, 20, 0, 0]}
    assert found["done"] == ["open", "short"]
    assert found["errors"] == 0
    requests = [Request(*row) for row in found["requests"]]
    assert Counter((r.run, r.traffic, r.status, r.error) for r in requests) == {
        (7, "short", 200, None): 100,
        (7, "open", 404, None): 20,
    }
    assert sorted(r.port for r in requests) == list(range(2048, 2048 + 120))
    assert {(r.client, r.server, r.reused) for r in requests} == {
        (target[0], f"{target[0]}:{target[1]}", False)
    }
    # The grid: 500 a second, in whole µs.
    planned = sorted(r.planned_us for r in requests if r.traffic == "open")
    assert all(abs(p - planned[0] - 2000 * n) <= 1 for n, p in enumerate(planned))
    assert all(r.start_us >= r.planned_us >= 0 and r.latency_us > 0 for r in requests)


def test_what_is_in_flight_at_the_end_is_waited_for_or_cut_off(target: Target) -> None:
    found = inside("load_cut_off", target)
    assert found["finished"] == [
        *[["long", 200, None]] * 3,
        *[["stuck", 0, "timeout"]] * 2,
    ]
    assert Counter(map(tuple, found["all"])) == {
        ("long", None): 3,
        ("stuck", "timeout"): 2,
        ("endless", "cut off"): 2,
    }


def test_a_full_disk_is_told_once(target: Target) -> None:
    assert inside("load_with_a_full_disk", target) == ["[Errno 28] No space left on device"]
