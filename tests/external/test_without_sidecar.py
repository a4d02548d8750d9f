"""An external balancer whose table nobody reads: load, and what is known without the table."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipvsload.scenario.load import parse_scenario
from tests.load.real import RealServers
from tests.locust_plugin.command import LOCUSTFILES, ROOT, Command
from tests.patience import HUNG_AFTER_S

SCENARIO = """
name: load
schedulers: [rr]
traffic:
  short: {users: 4, requests: 200}
timeline:
  - start: short
    until: requests{class=short} >= 50
  - wait: done
expect:
  all: [failures == 0, 'requests{class=short} == 200']
"""
UNREAD = "nothing reads the balancer's table: give --sidecar a command that does"


@pytest.fixture
def url() -> Iterator[str]:
    with RealServers() as servers:
        host, port = servers.add()
        yield f"http://{host}:{port}"


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "load.yaml"
    path.write_text(SCENARIO)
    return path


def run(directory: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ipvsload", "run", *words, "--testbed", "external"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )


def held(path: Path) -> None:
    results = json.loads(path.read_text())
    assert results["verdict"] == "held"
    (one,) = results["runs"]
    assert (one["scheduler"], one["servers"], one["reasons"]) == ("unknown", [], [])
    assert one["traffic"]["short"]["requests"] == 200
    assert any("nothing read the balancer's table" in note for note in one["notes"])


def test_waits_over_the_load_need_no_sidecar(url: str, scenario: Path, tmp_path: Path) -> None:
    done = run(tmp_path, str(scenario), "--url", url, "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "is there is measured, not each of the scenario's (rr): " in done.stderr
    held(tmp_path / "out" / "results.json")


@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["one", "workers"])
def test_the_same_under_locusts_command(
    processes: tuple[str, ...], url: str, scenario: Path, tmp_path: Path
) -> None:
    words = ("--headless", "-H", url, "--scenario", str(scenario), *processes)
    with Command(tmp_path, LOCUSTFILES / "skew.py", *words) as command:
        assert command.wait() == 0, command.log
    assert "Traceback" not in command.log
    (path,) = tmp_path.glob("runs/*/results.json")
    held(path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((str(ROOT / "scenarios" / "even.yaml"),), f"wants `all: conns == 100`: {UNREAD}"),
        (("load.yaml", "--scheduler", "lc"), f"--scheduler lc: {UNREAD}"),
        (
            ("load.yaml", "--scheduler", "lc", "--set-scheduler", "set {scheduler}"),
            f"--scheduler lc: {UNREAD}",
        ),
    ],
)
def test_what_only_the_table_knows_is_refused_before_anything_is_sent(
    words: tuple[str, ...], said: str, scenario: Path, tmp_path: Path
) -> None:
    done = run(tmp_path, *words, "--url", "http://127.0.0.1:9")
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (("requests{class=short} >= 50", "active == 4"), "until: active == 4"),
        (("failures == 0", "'failures{server=1} == 0'"), "all: failures{server=1} == 0"),
        (("  all: [", "  rr: ["), "rr: failures == 0"),
        (
            ("expect:\n", "expect:\n  compare: ['failures{scheduler=rr} == 0']\n"),
            "compare: failures{scheduler=rr} == 0",
        ),
    ],
)
def test_what_needs_the_table(changed: tuple[str, str], words: str) -> None:
    assert list(parse_scenario(SCENARIO, "t").needs()) == []
    needs = list(parse_scenario(SCENARIO.replace(*changed), "t").needs())
    assert ("table", words) in needs
