"""A master and workers on machines of their own: addresses, delay, clocks, and a lost link.

The machines are network namespaces; see machines.py for what their network is.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.locust_plugin import lab_workers
from tests.locust_plugin.command import LOCUSTFILES, ROOT, Command
from tests.locust_plugin.machines import Machines, address, machines
from tests.patience import HUNG_AFTER_S
from tests.recorded_requests import recorded_requests

pytestmark = pytest.mark.kernel

SKEW = LOCUSTFILES / "skew.py"
MASTER, TARGET, FIRST, SECOND = 1, 2, 3, 4
ONE_WAY_MS = 15
SCENARIO = """
name: apart
schedulers: [rr]
traffic:
  closed: {users: 5, requests: 203}
  open: {rate: 40, requests: 61}
timeline:
  - start: closed
    until: requests{class=closed} >= 20
  - start: open
  - wait: done
expect:
  all: [failures == 0, "requests{class=closed} == 203", "requests{class=open} == 61"]
"""
OWN = """
import gevent
from locust import events

from ipvsload import ShortUser, watch

watch()


class Some(ShortUser):
    requests = 301


@events.test_start.add_listener
def _until_all_is_sent(environment, **_):
    def look():
        stats = environment.stats.total
        while stats.num_requests < 301 or environment.runner.user_count:
            gevent.sleep(0.1)
        environment.runner.quit()

    if not hasattr(environment.runner, "worker_index"):
        gevent.spawn(look)
"""


@pytest.fixture(scope="module")
def network() -> Iterator[Machines]:
    """Four machines, one of which serves at port 80."""
    with machines(4) as found:
        server = subprocess.Popen(
            [*found.on(TARGET), sys.executable, "-m", "ipvsload.testbed.lab.real_servers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with server:
            assert server.stdin
            assert server.stdout
            assert json.loads(server.stdout.readline()) == {"ready": True}
            server.stdin.write(json.dumps({"add": f"{address(TARGET)}:80"}).encode() + b"\n")
            server.stdin.flush()
            assert "added" in json.loads(server.stdout.readline())
            yield found
            server.stdin.close()


@contextmanager
def started(network: Machines, tmp_path: Path, file: Path, *words: str) -> Iterator[list[Command]]:
    """A master, and then two workers, the second of which has another machine's clock."""
    target = ("-H", f"http://{address(TARGET)}", "--headless")
    with ExitStack() as stack:
        master = Command(
            tmp_path, file, *target, "--master", "--expect-workers", "2", *words,
            before=network.on(MASTER),
        )  # fmt: skip
        commands = [stack.enter_context(master)]
        there = ("--headless", "--worker", "--master-host", address(MASTER))
        clock = ("unshare", "--time", "--monotonic", "100000", "--fork", "--kill-child")
        for number, before in ((FIRST, ()), (SECOND, clock)):
            directory = tmp_path / f"worker {number}"
            directory.mkdir()
            port = ("--master-port", master.master_port)
            worker = Command(directory, file, *there, *port, before=(*network.on(number), *before))
            commands.append(stack.enter_context(worker))
        yield commands


def lines(tmp_path: Path, name: str) -> list[Any]:
    (path,) = tmp_path.glob(f"runs/*/{name}.ndjson")
    return [json.loads(line) for line in path.read_text().splitlines()]


def recorded(tmp_path: Path) -> int:
    """How many requests the master has recorded until now."""
    return sum(len(recorded_requests(path)) for path in tmp_path.glob("runs/*"))


def test_counts_are_exact_over_a_network_with_delay(network: Machines, tmp_path: Path) -> None:
    network.tell(f"delay {ONE_WAY_MS}")
    scenario = tmp_path / "apart.yaml"
    scenario.write_text(SCENARIO)
    with started(network, tmp_path, SKEW, "--scenario", str(scenario)) as (master, *workers):
        assert master.wait() == 0, master.log
        assert [worker.wait() for worker in workers] == [0, 0]
    assert master.results()["verdict"] == "held"
    requests = [one for path in tmp_path.glob("runs/*") for one in recorded_requests(path)]
    assert Counter(one.traffic for one in requests) == {"closed": 203, "open": 61}
    by_machine = Counter((one.traffic, one.client) for one in requests)
    # Users and arrivals are divided without remainder: three users have three fifths.
    assert by_machine == {
        ("closed", address(FIRST)): 122,
        ("closed", address(SECOND)): 81,
        ("open", address(FIRST)): 31,
        ("open", address(SECOND)): 30,
    } or by_machine == {
        ("closed", address(SECOND)): 122,
        ("closed", address(FIRST)): 81,
        ("open", address(SECOND)): 31,
        ("open", address(FIRST)): 30,
    }
    # A connection and an answer are two ways there and back.
    assert min(one.latency_us for one in requests) >= 4 * ONE_WAY_MS * 1000
    _, *events = lines(tmp_path, "events")
    clocks = [event["data"] for event in events if event["kind"] == "clock"]
    assert len(clocks) == 2
    offsets = sorted((clock["offset_us"], clock["uncertainty_us"]) for clock in clocks)
    for (offset, uncertainty), true in zip(offsets, (0, 100_000_000_000), strict=True):
        assert abs(offset - true) <= max(uncertainty, 1)
        assert uncertainty == 0 or uncertainty >= ONE_WAY_MS * 1000
    # On the master's time line, all of them.
    start, end = events[0]["t_us"], events[-1]["t_us"]
    slack = max(uncertainty for _, uncertainty in offsets)
    assert all(start - slack < one.start_us < end + slack for one in requests)


def test_a_budget_of_ones_own_is_exact_over_a_network_with_delay(
    network: Machines, tmp_path: Path
) -> None:
    network.tell(f"delay {ONE_WAY_MS}")
    file = tmp_path / "own.py"
    file.write_text(OWN)
    with started(network, tmp_path, file, "-u", "9", "-r", "9") as (master, *_):
        assert master.wait() == 0, master.log
    found = [row for row in master.log.splitlines() if row.startswith("GET") and " 301 " in row]
    assert found, master.log


def test_a_worker_that_vanishes_without_a_word_ends_the_run(
    network: Machines, tmp_path: Path
) -> None:
    network.tell("delay 1")
    scenario = tmp_path / "apart.yaml"
    endless = SCENARIO.replace("rate: 40, requests: 61", "rate: 40, duration: 80s")
    scenario.write_text(endless.partition("expect:")[0].replace("wait: done", "wait: 70s"))
    with started(network, tmp_path, SKEW, "--scenario", str(scenario)) as (master, *workers):
        master.eventually(lambda: recorded(tmp_path) > 250, "the load")
        network.tell(f"down {SECOND}")
        assert master.wait() == 4, master.log
        assert workers[0].wait() == 0
        # Nobody can tell the other one to stop.
        workers[1].until("nothing was heard of the master for 6 s: this worker sends no more")
        workers[1].process.kill()
    assert "Traceback" not in master.log
    (run,) = master.results()["runs"]
    assert any("went away in the middle of the run" in reason for reason in run["reasons"])


def test_workers_beside_a_real_director_are_clients_of_their_own(tmp_path: Path) -> None:
    even = str(ROOT / "scenarios" / "even.yaml")
    words = [sys.executable, "-m", "tests.locust_plugin.lab_workers", even, str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-m", "ipvsload", "lab", "--servers", "2", "--", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["verdict"] == "held"
    (run,) = results["runs"]
    assert [server["connections"] for server in run["servers"]] == [50, 50]
    assert [server["requests"] for server in run["servers"]] == [{"short": 50}] * 2
    clients = Counter(one.client for one in recorded_requests(tmp_path / "out"))
    assert clients == dict.fromkeys(lab_workers.ADDRESSES, 50)
