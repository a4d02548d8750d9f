"""`ipvsload run --self-check` on a real kernel: both columns have the load of their block."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HUNG_AFTER_S
from tests.recorded_requests import recorded_requests

pytestmark = pytest.mark.kernel

SCENARIO = """
name: itself
schedulers: [lc]
traffic: {some: {users: 2, requests: 20, work: exponential 5ms, request: "GET /delay/{work}"}}
timeline: [{start: some}, {wait: done}]
"""


def test_a_scheduler_against_itself_has_the_same_load_in_each_block(tmp_path: Path) -> None:
    path, out = tmp_path / "itself.yaml", tmp_path / "out"
    path.write_text(SCENARIO)
    words = "--self-check", "1", "--repeats", "1", "--kernel", "uml", "--out", str(out)
    command = [sys.executable, "-m", "ipvsload", "run", str(path), *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=HUNG_AFTER_S, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((out / "results.json").read_text())
    assert sorted(one["label"] for one in found["runs"]) == ["lc", "lc-again"]
    assert {one["scheduler"] for one in found["runs"]} == {"lc"}
    assert found["self_check"]["comparisons"] == 1
    assert "1 comparison of lc with itself" in done.stdout
    drawn: dict[int, list[int]] = {1: [], 2: []}
    for request in recorded_requests(out):
        drawn[request.run].append(request.work_us or 0)
    assert len(drawn[1]) == 20
    assert sorted(drawn[1]) == sorted(drawn[2])
