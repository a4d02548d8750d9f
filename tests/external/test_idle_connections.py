"""Keep-alive users who think longer than IPVS remembers an idle connection, on a real director."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HUNG_AFTER_S

pytestmark = pytest.mark.kernel

IPVSLOAD = f"{sys.executable} -m ipvsload"
SCENARIO = """
name: timeouts
schedulers: [rr]
service: {servers: 2}
traffic:
  idle: {users: 10, requests: 50, connection: keep-alive, think: 1500ms}
  strict: {users: 10, requests: 50, connection: keep-alive, think: 1500ms, retry: false}
timeline:
  - start: [idle, strict]
    until: done
    within: 60s
"""


def test_requests_on_forgotten_connections_are_sent_again_or_fail_and_the_notes_say_why(
    tmp_path: Path,
) -> None:
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    script = tmp_path / "script"
    script.write_text(
        f"{IPVSLOAD} lab exec -- ipvsadm --set 1 1 1\n"
        f"exec {IPVSLOAD} run {tmp_path}/scenario.yaml --testbed external --url $URL"
        f" --sidecar '{IPVSLOAD} lab exec -- {IPVSLOAD} collect' --out {tmp_path}/out\n"
    )
    done = subprocess.run(
        [*IPVSLOAD.split(), "lab", "--servers", "2", "--", "sh", str(script)],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
        env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = json.loads((tmp_path / "out" / "results.json").read_text())["runs"]
    idle, strict = run["traffic"]["idle"], run["traffic"]["strict"]
    # Each user's first request makes its connection; the director has forgotten it at each other.
    assert (idle["requests"], idle["failures"], idle["retried"]) == (50, 0, 40)
    # A user makes a new connection for the next request after one that failed.
    assert (strict["requests"], strict["retried"]) == (50, 0)
    assert strict["errors"] == {"reset": 20}
    assert sum(server["connections"] for server in run["servers"]) == 50 + 30
    notes = [note for note in run["notes"] if "tcp timeout of 1 s" in note]
    assert [note.split(", because")[0] for note in notes] == [
        "idle: 40 requests were sent again on a new connection",
        "strict: 20 requests failed",
    ]
