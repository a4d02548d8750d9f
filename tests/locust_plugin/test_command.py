"""`locust -f` over the real kernel: splits, exit statuses, workers, and ends of all kinds."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.experiment.test_run import QUICK
from tests.leftovers import Marked, command_line, nothing_left
from tests.locust_plugin.command import LOCUSTFILES, ROOT, Command
from tests.patience import HUNG_AFTER_S
from tests.recorded_requests import recorded_requests

pytestmark = pytest.mark.kernel

SKEW, MIXED, BURST = (LOCUSTFILES / f"{name}.py" for name in ("skew", "mixed", "burst"))


@pytest.fixture
def marked(request: pytest.FixtureRequest) -> Iterator[Marked]:
    with nothing_left(f"{os.getpid()}-{request.node.name}") as found:
        yield found


@pytest.fixture
def quick(tmp_path: Path) -> str:
    path = tmp_path / "quick.yaml"
    path.write_text(QUICK)
    return str(path)


def begun(directory: Path) -> bool:
    """Whether a recorded run has started a class of its load."""
    return any(
        '"class-start"' in file.read_text() for file in directory.glob("runs/*/events.ndjson")
    )


def split(results: dict[str, Any]) -> list[tuple[int, dict[str, int]]]:
    (run,) = results["runs"]
    return [(server["connections"], server["requests"]) for server in run["servers"]]


SPLITS = {
    "rr": [(60, {"long": 10, "short": 50}), (50, {"long": 0, "short": 50})],
    "lc": [(10, {"long": 10, "short": 0}), (100, {"long": 0, "short": 100})],
}


@pytest.mark.parametrize("processes", [(), ("--processes", "2")])
@pytest.mark.parametrize("scheduler", ["rr", "lc"])
def test_the_experiment(
    scheduler: str, processes: tuple[str, ...], quick: str, tmp_path: Path, marked: Marked
) -> None:
    words = ("--headless", "--scenario", quick, "--scheduler", scheduler, *processes)
    with Command(tmp_path, SKEW, *words, environment=marked.environment) as command:
        assert command.wait() == 0, command.log
    assert "Traceback" not in command.log
    results = command.results()
    assert results["verdict"] == "held"
    assert split(results) == SPLITS[scheduler]
    (directory,) = tmp_path.glob("runs/*")
    rows = recorded_requests(directory)
    assert Counter(row.traffic for row in rows) == {"long": 10, "short": 100}
    assert len({(row.client, row.port) for row in rows}) == 110
    # Locust's own statistics have seen the same.
    assert "GET      /delay/2" in command.log


def test_a_broken_expectation_is_exit_status_1(quick: str, tmp_path: Path) -> None:
    Path(quick).write_text(QUICK.replace("failures == 0", "failures == 1"))
    with Command(tmp_path, SKEW, "--headless", "--scenario", quick) as command:
        assert command.wait() == 1, command.log
    assert "NOT HELD: failures == 1 (measured 0" in command.log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_scenario_in_order(
    number: signal.Signals, tmp_path: Path, marked: Marked
) -> None:
    with Command(tmp_path, SKEW, "--headless", environment=marked.environment) as command:
        command.eventually(lambda: begun(tmp_path), "the first requests")
        command.interrupt(number)
        assert command.wait() == 4, command.log
    assert "Traceback" not in command.log
    (run,) = command.results()["runs"]
    assert "interrupted" in run["reasons"]


def test_run_time_ends_a_scenario_that_takes_longer(tmp_path: Path) -> None:
    words = ("--headless", "-u", "20", "-r", "5", "-t", "2s")
    with Command(tmp_path, SKEW, *words) as command:
        assert command.wait() == 4, command.log
    assert "--run-time is over before the scenario is" in command.log
    assert "--users and --spawn-rate not used" in command.log


def test_sigkill_of_a_master_leaves_nothing(tmp_path: Path, marked: Marked) -> None:
    words = ("--headless", "--processes", "2")
    with Command(tmp_path, SKEW, *words, environment=marked.environment) as command:
        command.until("is up")
        time.sleep(0.5)
        command.interrupt(signal.SIGKILL)
        command.wait()


@pytest.mark.parametrize("file", [SKEW, MIXED])
def test_a_worker_that_dies_makes_the_run_say_so(
    file: Path, tmp_path: Path, marked: Marked
) -> None:
    words = ("--headless", "--processes", "2", "-u", "10", "-r", "10", "-t", "30s")
    with Command(tmp_path, file, *words, environment=marked.environment) as command:
        if file == SKEW:
            command.eventually(lambda: begun(tmp_path), "the first requests")
        else:
            command.until("All users spawned")
        workers = [
            pid
            for pid in marked.processes()
            if pid != command.process.pid and b"-m\0locust" in command_line(pid)
        ]
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        assert command.wait() == 4, command.log
    assert "went away in the middle of the" in command.log


@pytest.mark.parametrize("processes", [(), ("--processes", "2")])
def test_a_steady_mix_with_all_of_locusts_files(processes: tuple[str, ...], tmp_path: Path) -> None:
    words = ("--headless", "-u", "10", "-r", "10", "-t", "3s", "--csv", "of", "--html", "of.html")
    more = ("--json-file", "of", "--scheduler", "lc", "--servers", "3")
    with Command(tmp_path, MIXED, *words, *more, *processes) as command:
        assert command.wait() == 0, command.log
    # Locust's own writer of CSV files may find them closed, while its workers end.
    race = r"Traceback(?:(?!Traceback)[\s\S])*?stats_writer[\s\S]*?I/O operation on closed file"
    assert "Traceback" not in re.sub(race, "", command.log)
    entries = {e["name"]: e for e in json.loads((tmp_path / "of.json").read_text())}
    assert set(entries) == {"/delay/2", "/ip"}
    assert all(entry["num_failures"] == 0 for entry in entries.values())
    assert entries["/ip"]["num_requests"] > 50
    assert (tmp_path / "of_stats.csv").stat().st_size > 100
    assert "/delay/2" in (tmp_path / "of.html").read_text()


def test_a_worker_of_its_own_takes_part_with_a_clock_of_its_own(quick: str, tmp_path: Path) -> None:
    words = ("--headless", "--scenario", quick, "--scheduler", "lc", "--expect-workers", "1")
    # A time namespace: its CLOCK_MONOTONIC is another machine's, as far as one can see.
    elsewhere = ("unshare", "--time", "--monotonic", "100000", "--fork", "--kill-child")
    with Command(tmp_path, SKEW, *words, "--master") as master:
        (tmp_path / "worker").mkdir()
        there = ("--headless", "--worker", "--master-port", master.master_port)
        with Command(tmp_path / "worker", SKEW, *there, before=elsewhere) as worker:
            assert master.wait() == 0, master.log
            assert worker.wait() == 0, worker.log
    assert split(master.results()) == SPLITS["lc"]
    (directory,) = tmp_path.glob("runs/*")
    lines = (directory / "events.ndjson").read_text().splitlines()
    events = [json.loads(line) for line in lines[1:]]
    (offset,) = {
        round(event["data"]["offset_us"] / 1e6)
        for event in events
        if event["kind"] == "clock" and event["data"]["node"] != "director"
    }
    assert offset == 100_000
    start, end = events[0]["t_us"], events[-1]["t_us"]
    requests = recorded_requests(directory)
    assert len(requests) == 110
    # On the master's time line, all of them.
    assert all(start < one.planned_us < end for one in requests)


def test_a_director_that_dies_is_exit_status_3(tmp_path: Path, marked: Marked) -> None:
    with Command(
        tmp_path, SKEW, "--headless", "--kernel", "uml", environment=marked.environment
    ) as command:
        command.eventually(lambda: begun(tmp_path), "the first requests")
        os.kill(marked.guest(), signal.SIGKILL)
        assert command.wait() == 3, command.log
    assert "the director's kernel ended unexpectedly" in command.log
    assert "Traceback" not in command.log


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--scenario", "none.yaml"), 2, "none.yaml: no such file"),
        (("-H", "http://127.0.0.1:9", "--testbed", "lab"), 2, "a lab has an address of its own"),
        (("--testbed", "external"), 2, "name the balancer with -H"),
        (("--servers", "-1"), 2, "a whole number from 0 to 1000"),
        (("--servers", "many"), 2, "invalid int value"),
        (("--scheduler", "best"), 2, "scheduler 'best': one of rr, lc, wrr"),
        (("--hz", "99"), 2, "1 to 50 samples a second"),
        (("--sidecar", "true"), 2, "--sidecar is an option of --testbed external, not of lab"),
        (
            ("-H", "http://127.0.0.1:9"),
            2,
            "wants `scale to 2`: this balancer is not ours to change",
        ),
        (("-H", "ftp://127.0.0.1"), 2, "expected http://ADDRESS[:PORT]"),
        (("--kernel", "host", "--out", "/dev/null"), 3, "no kernel with IPVS could be had"),
    ],
)
def test_bad_usage_is_a_line_and_a_status(
    words: tuple[str, ...], status: int, said: str, tmp_path: Path
) -> None:
    with Command(tmp_path, SKEW, "--headless", *words) as command:
        assert command.wait() == status, command.log
    assert said in command.log
    assert "Traceback" not in command.log


WITHIN = """
import json, subprocess, sys, time, urllib.request

locust = subprocess.Popen(
    [sys.executable, "-m", "locust", "-f", sys.argv[1], "-H", sys.argv[2], "--autostart",
     "-u", "6", "-r", "6", "--web-host", "127.0.0.1", "--web-port", "8089",
     "--sidecar", f"{sys.executable} -m ipvsload lab exec -- {sys.executable} -m ipvsload collect"]
)

def metrics():
    try:
        with urllib.request.urlopen("http://127.0.0.1:8089/metrics", timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return ""

deadline = time.monotonic() + 40
wanted = ('ipvsload_sidecar_up 1', 'requests_total{class="GET /get"',
          'requests_total{class="Download"', 'active_connections{')
while not all(word in (text := metrics()) for word in wanted) and time.monotonic() < deadline:
    assert locust.poll() is None
    time.sleep(0.3)
print(text)
locust.terminate()
print("status", locust.wait(60))
"""


def test_your_own_users_get_the_samples_beside_them(tmp_path: Path) -> None:
    # Locust inside of a lab: the balancer is another's, and the sidecar a command.
    script = tmp_path / "within.py"
    script.write_text(WITHIN)
    words = [sys.executable, str(script), str(LOCUSTFILES / "own.py"), "$URL"]
    done = subprocess.run(
        [sys.executable, "-m", "ipvsload", "lab", "--servers", "3", "--", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 0, done.stderr
    assert "status 0" in done.stdout
    assert "Traceback" not in done.stderr
    servers = set(re.findall(r'active_connections\{.*?server="([^"]+)"', done.stdout))
    assert servers == {f"198.51.100.{n}:80" for n in (11, 12, 13)}
    answered = re.findall(r'requests_total\{class="Download".*?server="([^"]*)"', done.stdout)
    assert set(answered) <= servers | {""}
    assert answered


@pytest.mark.parametrize("there", ["rr", "lc"])
def test_a_scenario_over_a_balancer_that_is_anothers(there: str, tmp_path: Path) -> None:
    python = f"{sys.executable} -m"
    command = f"{python} locust -f {SKEW} --headless --scenario {ROOT}/scenarios/even.yaml"
    inside = f"{python} ipvsload lab exec --"
    if there != "rr":
        change = f"{inside} ipvsadm -E -t {{service}} -s {{scheduler}}"
        command += f" --scheduler rr --set-scheduler '{change}'"
    # Others have used it before: what the kernel counted then is not ours.
    before = f'{sys.executable} -c \'import os,urllib.request as r; \
        [r.urlopen(os.environ["URL"] + "/ip").read() for _ in range(7)]\'; sleep 2.2'
    script = f"""{before}
        {command} -H $URL --sidecar '{inside} {python} ipvsload collect' || exit
        exec {inside} ipvsadm -ln"""
    done = subprocess.run(
        [sys.executable, "-m", "ipvsload", "lab", "--scheduler", there, "--", "sh", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 0, done.stderr
    assert f"TCP  192.0.2.80:80 {there}\n" in done.stdout  # as it was
    (path,) = tmp_path.glob("runs/*/results.json")
    (run,) = json.loads(path.read_text())["runs"]
    assert run["scheduler"] == "rr"
    assert run["kernel"]["provider"] == "node"
    assert [server["connections"] for server in run["servers"]] == [50, 50]
    assert [server["requests"] for server in run["servers"]] == [{"short": 50}] * 2


@pytest.mark.parametrize(
    ("sidecar", "said"),
    [
        ("false", "--sidecar false: it ended with status 1"),
        ("no-such-program", "--sidecar no-such-program: No such file or directory"),
        ("echo hello", "not a line of `ipvsload collect`: 'hello"),
        ("'", '--sidecar "\'": No closing quotation'),
    ],
)
def test_a_sidecar_that_does_not_work_is_named(sidecar: str, said: str, tmp_path: Path) -> None:
    words = ("--headless", "-H", "http://127.0.0.1:9", "--sidecar", sidecar)
    with Command(tmp_path, MIXED, *words) as command:
        assert command.wait() == (2 if "quotation" in said else 3), command.log
    assert said in command.log
    assert "Traceback" not in command.log


def test_it_works_for_an_ordinary_user(quick: str, tmp_path: Path) -> None:
    # A user namespace without rights outside of it is what such a user is.
    user = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    words = ("--headless", "--scenario", quick, "--scheduler", "lc", "--processes", "2")
    with Command(tmp_path, SKEW, *words, before=user if os.geteuid() == 0 else ()) as command:
        assert command.wait() == 0, command.log
    assert split(command.results()) == SPLITS["lc"]
