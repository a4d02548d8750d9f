"""A director on which something else than the scheduler decides: said in every report."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.patience import HUNG_AFTER_S

pytestmark = pytest.mark.kernel

IPVSLOAD = f"{sys.executable} -m ipvsload"
SCENARIO = """
name: persistent
schedulers: [rr]
service: {servers: 4}
traffic:
  short: {users: 4, requests: 400}
timeline:
  - start: short
    until: done{class=short}
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of one client: a persistent rr, and a sh-port on a director that was set."""
    directory = tmp_path_factory.mktemp("runs")
    (directory / "scenario.yaml").write_text(SCENARIO)
    beside = f"{IPVSLOAD} lab exec --"
    run = (
        f"{IPVSLOAD} run {directory}/scenario.yaml --testbed external --url $URL"
        f" --sidecar '{beside} {IPVSLOAD} collect' --out {directory}"
    )
    script = directory / "script"
    script.write_text(
        f"set -e\n{beside} ipvsadm -E -t $VIP:80 -s rr -p 60\n{run}/persistent\n"
        f"{beside} ipvsadm -E -t $VIP:80 -s sh -b sh-port\n{beside} ipvsadm --set 77 78 79\n"
        f"{beside} sh -c 'echo 0 > /proc/sys/net/ipv4/vs/conn_reuse_mode'\n{run}/spread\n"
        f"{IPVSLOAD} compare {directory}/persistent {directory}/spread > {directory}/compared\n"
    )
    done = subprocess.run(
        [*IPVSLOAD.split(), "lab", "--scheduler", "rr", "--servers", "4", "--", "sh", str(script)],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
        env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "COLUMNS": "400"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


def results(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "results.json").read_text())
    return found


def test_persistence_and_how_many_choices_were_the_schedulers(runs: Path) -> None:
    found = results(runs / "persistent")
    (run,) = found["runs"]
    assert sorted(server["requests"]["short"] for server in run["servers"]) == [0, 0, 0, 400]
    assert run["director"]["persistent_seconds"] == 60
    assert run["director"]["timeouts"] == {"tcp": 900, "tcp_fin": 120, "udp": 300}
    assert found["schedulers"][0]["settings"] == ["persistent 60 s"]
    assert found["settings"] == []
    note = (
        "persistent 60 s, so each client keeps its server: 1 of 400 choices was the scheduler's,"
        " and 399 connections followed. They came from one client address."
    )
    assert any(one.startswith(note) for one in run["notes"])
    for report in ("summary.md", "report.html"):
        assert "rr, persistent 60 s" in (runs / "persistent" / report).read_text()


def test_flags_timeouts_and_sysctls(runs: Path) -> None:
    found = results(runs / "spread")
    (run,) = found["runs"]
    assert all(server["requests"]["short"] for server in run["servers"])
    assert run["director"]["flags"] == ["sh-port"]
    assert run["director"]["sysctls"]["conn_reuse_mode"] == 0
    assert found["schedulers"][0]["settings"] == ["sh-port"]
    assert found["settings"] == ["tcp timeout 77 s", "fin timeout 78 s", "conn_reuse_mode 0"]
    # One client address surprises nobody where the port is hashed, too.
    assert not any("client address" in note for note in run["notes"])


def test_compare_tells_what_differs(runs: Path) -> None:
    told = (runs / "compared").read_text().partition("what else differs")[2]
    rows = [re.split(" {2,}", line.strip()) for line in told.splitlines()]
    assert ["services", "rr persistent 60 s", "sh sh-port"] in rows
    assert ["tcp timeout", "900", "77"] in rows
    assert ["fin timeout", "120", "78"] in rows
    assert ["conn_reuse_mode", "1", "0"] in rows
