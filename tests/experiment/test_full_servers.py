"""Servers with a capacity through the real kernel: waits, record and results."""

import json
from pathlib import Path

import pytest

from tests.experiment.recording_command import results, run, written

pytestmark = pytest.mark.kernel

FULL = """
name: full
schedulers: [rr]
service: {servers: 2, capacity: {workers: 2}}
traffic:
  long: {request: GET /delay/0.5, users: 6, requests: 6}
timeline:
  - start: long
    until: busy{server=1} == 2 and queue == 2
  - wait: done{class=long}
expect:
  all:
    - failures == 0
    - queue_max{server=2} == 1
    - busy_max == 4
    - queue_p95{class=long} >= 100ms
    - queue_p50{class=long} < 100ms
"""


def test_full_servers_are_waited_for_and_seen(tmp_path: Path) -> None:
    done = run("run", written(tmp_path, FULL), "--details", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = results(tmp_path / "out")["runs"]
    # A server worked for three times half a second, and its two workers for a second at least.
    for server in found["servers"]:
        assert 0 < server["utilisation"] <= 0.75
    parts = found["traffic"]["long"]["latency_parts_ms"]["all"]
    assert parts["queue"] > 0
    assert parts["rest"] >= 500
    lines = (tmp_path / "out" / "occupancy.ndjson").read_text().splitlines()
    addresses = {row[0] for line in lines[1:] for row in json.loads(line)["servers"]}
    assert addresses == {server["address"] for server in found["servers"]}
    assert "in queue p95" in done.stdout
