"""More users than the generator's machine has open files: refused before anything starts."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HUNG_AFTER_S

SCENARIO = """\
name: descriptors
schedulers: [rr]
traffic:
  a: {request: GET /delay/3, users: 1500, requests: 1500}
  b: {request: GET /delay/3, users: 1500, requests: 1500}
timeline:
  - start: [a, b]
    until: done
    within: 60s
"""
FILES = 2000
LOCUSTFILE = Path(__file__).parents[2] / "locustfiles" / "skew.py"


def few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "descriptors.yaml"
    path.write_text(SCENARIO)
    return path


def command(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
        preexec_fn=few_files,
    )


def refused(done: "subprocess.CompletedProcess[str]") -> None:
    assert done.returncode == 3, done.stdout + done.stderr
    assert "up to 3000 connections at once ('a' has 1500 users and 'b' has 1500" in done.stderr
    assert f"a process may have {FILES} here" in done.stderr
    assert "nofile=4096:4096`" in done.stderr
    assert "Traceback" not in done.stderr


def test_validate_says_so(scenario: Path) -> None:
    done = command("ipvsload", "validate", scenario)
    refused(done)
    assert "descriptors.yaml: ok" in done.stdout


def test_run_refuses_it_and_leaves_no_directory(scenario: Path, tmp_path: Path) -> None:
    refused(command("ipvsload", "run", scenario, "--out", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_locusts_command_refuses_it(scenario: Path, tmp_path: Path) -> None:
    options = ("--headless", "--scenario", scenario, "--out", tmp_path / "out")
    refused(command("locust", "-f", LOCUSTFILE, *options))
    assert not (tmp_path / "out").exists()


@pytest.mark.kernel
def test_a_worker_refuses_its_share(scenario: Path, tmp_path: Path) -> None:
    scenario.write_text(SCENARIO.replace("1500", "4000"))
    options = ("--headless", "--scenario", scenario, "--processes", "2", "--out", tmp_path / "out")
    done = command("locust", "-f", LOCUSTFILE, *options)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "up to 2000 connections at once ('a' has 2000 users) need" in done.stderr
    assert f"a process may have {FILES} here" in done.stderr
