"""`ipvsload simulate --summary`: the same figures as with a record of each request."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipvsload.errors import UsageError
from ipvsload.results.results import RunResult
from ipvsload.scenario.load import load, parse_scenario
from ipvsload.simulate.play_summary import play_summary
from ipvsload.simulate.summarized_plan import refuse_what_needs_a_record
from tests.simulate.played import played

SCENARIOS = Path(__file__).parents[2] / "scenarios"
OPEN = """
name: open
schedulers: [rr, wlc, sed, mh, twos, dh]
service:
  servers: 3
  weights: [1, 2, 1]
  clients: 5
  directors: 3
  spread: random
  capacity: {workers: 2, queue: 1, speed: [1, 2, 1]}
traffic:
  work: {request: "GET /delay/{work}", work: exponential 30ms, rate: 250, arrivals: poisson,
         duration: 3s}
  even: {request: GET /ip, rate: 40, requests: 80}
timeline:
  - start: work
  - wait: 1s
  - start: even
    until: done{class=even} and done{class=work}
expect:
  all:
    - requests{class=even} == 80
    - latency_p99{class=work} > 30
    - queue_max <= 3
    - share{class=work, server=2} >= 0
  compare:
    - requests{class=work, scheduler=wlc} == requests{class=work, scheduler=dh}
"""
CLOSED = """
name: closed
schedulers: [lc, nq, sh]
service: {servers: 2, clients: 4, capacity: {workers: 3}}
traffic:
  users: {request: "GET /delay/{work}", work: lognormal 10ms 100ms, users: 9, think: 5ms,
          duration: 2s}
  budget: {request: GET /delay/0.02, users: 4, requests: 50}
  stopped: {request: GET /ip, users: 1, think: 10ms}
timeline:
  - start: [users, stopped]
  - wait: 0.5s
  - stop: stopped
  - start: budget
    until: done{class=budget}
  - wait: done
"""


def near(value: float) -> Any:
    return pytest.approx(value, rel=0.003, abs=0.001)


def figures(run: RunResult, near: Callable[[float], Any]) -> dict[str, object]:
    """Histograms and samples are not exact: those figures are nearly the same."""
    return {
        "servers": [
            (one.address, one.weight, one.connections, one.requests, one.failures)
            for one in run.servers
        ],
        "traffic": {
            name: (
                one.requests, one.failures, one.errors, near(one.rps or 0),
                {k: near(v or 0) for k, v in one.latency_ms.items()},
                {k: near(v or 0) for k, v in one.queue_ms.items()},
            )
            for name, one in run.traffic.items()
        },
        "busy": [(near(one.utilisation or 0), one.busy_max) for one in run.servers],
        "kernel": run.kernel,
        "held": [one.held for one in run.expectations],
    }  # fmt: skip


@pytest.mark.parametrize("text", [OPEN, CLOSED])
def test_figures_are_those_of_the_simulation_with_a_record(text: str, tmp_path: Path) -> None:
    _, full = played(tmp_path / "out", text)
    scenario = parse_scenario(text, "x.yaml")
    summary = play_summary(scenario, scenario.schedulers, 1)
    assert full.verdict == summary.verdict == "held"
    for ours, theirs in zip(summary.runs, full.runs, strict=True):
        assert (ours.label, figures(ours, near)) == (theirs.label, figures(theirs, float))
    assert [one.held for one in summary.comparisons] == [one.held for one in full.comparisons]


def summarize(scenario: str, *options: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ipvsload", "simulate", scenario, "--summary", *options]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_command_prints_and_writes_what_needs_no_record(tmp_path: Path) -> None:
    done = summarize("migrate", "--out", "out", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "HELD" in done.stdout
    assert "results: out/results.json" in done.stdout
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"results.json", "junit.xml", "summary.md", "scenario.yaml"}
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [run["label"] for run in results["runs"]] == ["rr", "lc", "iptables", "nftables"]
    again = summarize("migrate", "--out", "out", cwd=tmp_path)
    assert again.returncode == 2
    assert "new or empty" in again.stderr


def test_what_needs_a_record_is_refused_in_words(tmp_path: Path) -> None:
    done = summarize("skew", "--out", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert "step 2, scale to 2" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("affinity", "persistence: 60s"),
        ("keepalive", "connection: keep-alive (of chat)"),
        ("drain", "until: active{server=1} == 2 and active{server=2} == 2"),
        ("server-dies", "kill server"),
    ],
)
def test_each_feature_is_named(name: str, words: str) -> None:
    scenario = load(SCENARIOS / f"{name}.yaml")
    with pytest.raises(UsageError) as refused:
        refuse_what_needs_a_record(scenario, scenario.schedulers)
    assert words in str(refused.value)


def test_a_deadline_that_passes_makes_the_run_invalid() -> None:
    text = CLOSED.replace(
        "until: done{class=budget}", "until: done{class=budget}\n    within: 0.1s"
    )
    scenario = parse_scenario(text, "x.yaml")
    results = play_summary(scenario, scenario.schedulers[:1], 1)
    assert results.verdict == "invalid"
    (reason,) = results.runs[0].reasons
    assert reason == "step 4 (start budget) waited 0.1 s for done{class=budget}"


def test_requests_beyond_their_timeout_make_the_run_invalid() -> None:
    text = CLOSED.replace("users: 4, requests", "timeout: 0.01s, users: 4, requests")
    scenario = parse_scenario(text, "x.yaml")
    results = play_summary(scenario, scenario.schedulers[:1], 1)
    assert (
        "requests of budget took longer than their timeout of 0.01 s" in results.runs[0].reasons[0]
    )
