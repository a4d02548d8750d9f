"""`ipvsload run` against the real kernel: verdicts, records, and runs that end badly."""

import json
import os
import subprocess
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from ipvsload.ipvs.lc_laws import LC_LAWS
from ipvsload.record.events import RunEnded, RunStarted
from ipvsload.record.reader import read
from tests.experiment.recording_command import IPVSLOAD, ROOT, results, run, written
from tests.patience import HUNG_AFTER_S
from tests.recorded_requests import recorded_requests

pytestmark = pytest.mark.kernel

# The skew experiment with shorter long requests.
QUICK = """
name: quick
schedulers: [rr, lc]
service: {servers: 1, capacity: {workers: 20, queue: 0}}
traffic:
  long: {request: GET /delay/2, users: 10, requests: 10}
  short: {users: 10, requests: 100}
timeline:
  - start: long
    until: active{server=1} == 10
  - scale: 2
    until: servers == 2
  - start: short
    until: done{class=short}
  - wait: done{class=long}
expect:
  all: [failures == 0]
  rr: ["requests{class=short,server=1} == 50"]
  lc: ["requests{class=short,server=1} == 0"]
"""


@pytest.mark.parametrize("kernel", ["uml", "qemu"])
def test_the_experiment(kernel: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    cache = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    words = "--kernel", kernel, "--out", str(out)
    done = run("run", written(tmp_path, QUICK), *words, env=cache)
    assert done.returncode == 0, done.stdout + done.stderr
    found = results(out)
    assert found["verdict"] == "held"
    split = {
        entry["scheduler"]: [
            (server["connections"], server["requests"]) for server in entry["servers"]
        ]
        for entry in found["runs"]
    }
    assert split == {
        "rr": [(60, {"long": 10, "short": 50}), (50, {"long": 0, "short": 50})],
        "lc": [(10, {"long": 10, "short": 0}), (100, {"long": 0, "short": 100})],
    }
    assert all(entry["valid"] for entry in found["runs"])
    run("simulate", str(tmp_path / "scenario-under-test.yaml"), "--out", str(tmp_path / "model"))
    for entry, modelled in zip(found["runs"], results(tmp_path / "model")["runs"], strict=True):
        for one, other in zip(entry["servers"], modelled["servers"], strict=True):
            assert one["requests"] == other["requests"]
    assert all(entry["kernel"]["release"] for entry in found["runs"])
    assert {entry["kernel"]["provider"] for entry in found["runs"]} == {kernel}
    (law,) = {entry["kernel"]["lc_law"] for entry in found["runs"]}
    assert law in LC_LAWS
    rr, lc = (entry["servers"][0]["active_max"] for entry in found["runs"])
    assert lc == 10
    assert 10 <= rr <= 20, "a sample may see short requests beside the long ones"
    for name in ("report.html", "junit.xml", "summary.md", "samples.ndjson", "scenario.yaml"):
        assert (out / name).stat().st_size > 0, name

    # Each choice of the kernel is the model's, and explained.
    for entry in found["runs"]:
        said = entry["prediction"]
        assert (said["connections"], said["mismatched"], said["witness"]) == (110, 0, True)
        assert said["matched"] + said["consistent"] == 110
        assert [s["predicted"]["connections"] for s in entry["servers"]] == [
            s["connections"] for s in entry["servers"]
        ]
    one = run("explain", str(out), "--run", "2", "--connection", "11").stdout
    assert f"{law}*10 + 0 = {law * 10}" in one
    assert "Server 2 has the least score, 0." in one
    assert "The kernel chose server 2, and so does the model: matched." in one
    page = (out / "report.html").read_text()
    assert page.count('class="predicted"') == 8  # in the chart of all columns and in its run's
    assert "Choices that are not" not in page

    # Every request is in the record, once, with a source port of its own.
    rows = recorded_requests(out)
    assert Counter((row.run, row.traffic) for row in rows) == {
        (1, "long"): 10,
        (1, "short"): 100,
        (2, "long"): 10,
        (2, "short"): 100,
    }
    assert len({(row.client, row.port) for row in rows}) == 220
    ends = [json.loads(line) for line in (out / "events.ndjson").read_text().splitlines()]
    assert [e["data"]["retransmits"] for e in ends if e.get("kind") == "run-end"] == [0, 0]

    # So says each real server of itself, in the last sample of each run: nothing waited.
    _header, *lines = (out / "occupancy.ndjson").read_text().splitlines()
    last = {sample["run"]: sample["servers"] for sample in map(json.loads, lines)}
    first, second = "198.51.100.11:80", "198.51.100.12:80"
    assert last == {
        1: [[first, 0, 0, 60, 0, 20_000_000], [second, 0, 0, 50, 0, 0]],
        2: [[first, 0, 0, 10, 0, 20_000_000], [second, 0, 0, 100, 0, 0]],
    }

    again = run("report", str(out))
    assert again.returncode == 0
    assert results(out) == found


def test_a_broken_expectation_is_exit_status_1(tmp_path: Path) -> None:
    text = """
name: wrong
schedulers: [rr]
traffic: {short: {users: 2, requests: 10}}
timeline:
  - start: short
    until: done{class=short}
expect:
  rr: ["requests{class=short, server=1} == 10"]
"""
    done = run("run", written(tmp_path, text), "--out", str(tmp_path / "out"))
    assert done.returncode == 1, done.stderr
    assert results(tmp_path / "out")["runs"][0]["expectations"][0]["measured"] == 5


def test_a_missed_deadline_says_what_was_seen_and_does_not_count(tmp_path: Path) -> None:
    text = """
name: missed
schedulers: [rr]
traffic: {long: {request: GET /delay/1, users: 3, requests: 3}}
timeline:
  - start: long
    until: active{server=1} == 3
    within: 800ms
"""
    done = run("run", written(tmp_path, text), "--out", str(tmp_path / "out"))
    assert done.returncode == 4, done.stdout
    reasons = results(tmp_path / "out")["runs"][0]["reasons"]
    assert any("waited 0.8 s for active{server=1} == 3; last seen: active" in r for r in reasons)


@pytest.mark.parametrize("name", ["even", "keepalive", "server-dies"])
def test_the_shipped_scenarios_hold(name: str, tmp_path: Path) -> None:
    done = run("run", str(ROOT / "scenarios" / f"{name}.yaml"), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_repeats_are_blocks_in_an_order_of_their_own(tmp_path: Path) -> None:
    scenario = str(ROOT / "scenarios" / "even.yaml")
    words = ("run", scenario, "--repeats", "2", "--out", str(tmp_path / "out"))
    done = run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    order = [(entry["scheduler"], entry["repeat"]) for entry in results(tmp_path / "out")["runs"]]
    assert order == [("lc", 1), ("rr", 1), ("rr", 2), ("lc", 2)]
    # Each but the last settles while the next one plays, and has its samples until then.
    recorded = read(tmp_path / "out").runs
    for one, after in pairwise(recorded):
        assert one.of_type(RunEnded)[0].t_us > after.of_type(RunStarted)[0].t_us
        last_us = max(request.start_us for request in one.requests)
        assert one.samples[-1].t_us - last_us > 2_000_000
        assert {service.key for sample in one.samples for service in sample.services} == {
            one.service
        }


def test_schedulers_of_the_command_line_replace_the_scenarios(tmp_path: Path) -> None:
    scenario = str(ROOT / "scenarios" / "even.yaml")
    words = ("--scheduler", "wlc", "--scheduler", "sed", "--scheduler", "nq")
    done = run("run", scenario, *words, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    found = results(tmp_path / "out")
    assert [entry["scheduler"] for entry in found["runs"]] == ["wlc", "sed", "nq"]


def test_a_scheduler_that_the_kernel_lacks_is_named(tmp_path: Path) -> None:
    scenario = str(ROOT / "scenarios" / "even.yaml")
    words = ("--kernel", "uml", "--scheduler", "twos", "--out", str(tmp_path / "out"))
    done = run("run", scenario, *words)
    assert done.returncode == 3
    assert "ip_vs_twos" in done.stderr


def test_whom_a_request_without_an_answer_was_given_to(tmp_path: Path) -> None:
    text = """
name: slow
schedulers: [rr]
traffic:
  slow: {request: GET /delay/9, users: 4, requests: 20, timeout: 300ms}
timeline:
  - start: slow
    until: done{class=slow}
expect:
  rr:
    - failures{class=slow, server=1} == 10
    - failures{class=slow, server=2} == 10
"""
    done = run("run", written(tmp_path, text), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_refusals_of_one_run_do_not_slow_the_next(tmp_path: Path) -> None:
    # Without a server to give, IPVS refuses by ICMP, which a kernel may ration.
    text = """
name: none
schedulers: [rr, lc, nq]
service: {servers: 2, weights: [0, 0]}
traffic:
  a: {users: 1, requests: 20}
timeline:
  - start: a
    until: done{class=a}
    within: 10s
expect:
  all: [failures == 20, conns == 0]
"""
    done = run("run", written(tmp_path, text), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_long_request_that_ends_last_does_not_hide_the_last_connection(tmp_path: Path) -> None:
    text = """
name: last
schedulers: [rr]
traffic:
  long: {request: GET /delay/3, users: 1, requests: 1}
  short: {users: 2, duration: 2.8s, think: 20ms}
timeline:
  - start: [long, short]
  - wait: done
expect:
  all: [failures == 0]
"""
    done = run("run", written(tmp_path, text), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_reader_that_leaves_early_costs_no_report(tmp_path: Path) -> None:
    out = tmp_path / "out"
    scenario = str(ROOT / "scenarios" / "even.yaml")
    command = f"{' '.join(IPVSLOAD)} run {scenario} --out {out} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=HUNG_AFTER_S)
    assert done.returncode == 0, done.stderr
    assert (out / "report.html").exists()
