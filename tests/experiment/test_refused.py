"""Who refuses a request, with a real kernel: a server, the director without one, weight 0."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HUNG_AFTER_S

pytestmark = pytest.mark.kernel

SCENARIO = """
name: refused
schedulers: [rr, sh]
service: {servers: 2, clients: 16}
traffic:
  whole: {users: 16, requests: 64}
  kept: {users: 16, requests: 2000, connection: keep-alive}
  drained: {users: 16, requests: 64}
  killed: {users: 16, requests: 64}
  none: {users: 16, requests: 64}
timeline:
  - start: [whole, kept]
    until: done
  - reweigh: {server: 1, weight: 0}
    until: weight{server=1} == 0
  - start: drained
    until: done
  - kill: 2
  - start: killed
    until: done
  - reweigh: {server: 2, weight: 0}
    until: weight{server=2} == 0
  - start: none
    until: done
"""


def test_the_directors_list_says_who_refused_and_its_weights_why(tmp_path: Path) -> None:
    (tmp_path / "refused.yaml").write_text(SCENARIO)
    words = ["run", f"{tmp_path}/refused.yaml", "--out", f"{tmp_path}/out"]
    done = subprocess.run(
        [sys.executable, "-m", "ipvsload", *words],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rr, sh = json.loads((tmp_path / "out" / "results.json").read_text())["runs"]
    assert {name: one["refused_by"] for name, one in rr["traffic"].items()} == {
        "whole": {},
        "kept": {},
        "drained": {},
        "killed": {"the server": 64},
        "none": {"no server": 64},
    }
    refused = {name: one["refused_by"] for name, one in sh["traffic"].items()}
    assert (refused["whole"], refused["none"]) == ({}, {"no server": 64})
    # Of those clients whose hash falls on server 1 (ip_vs_sh.c, ip_vs_sh_hashkey).
    hashed = refused["drained"]["weight 0"]
    assert 0 < hashed < 64
    assert refused["drained"] == {"weight 0": hashed}
    assert refused["killed"] == {"weight 0": hashed, "the server": 64 - hashed}
    for run in (rr, sh):
        assert all(
            one["errors"] == ({"refused": one["failures"]} if one["failures"] else {})
            for one in run["traffic"].values()
        )
        assert any("which had no server for them" in note for note in run["notes"])
    # Two witnesses of each answer, the kernel's list and the servers' own word, and no mismatch.
    for run in (rr, sh):
        traffic = run["traffic"].values()
        to_none = sum(
            n for one in traffic for by, n in one["refused_by"].items() if by != "the server"
        )
        told, answered = (run["attribution"][name] for name in ("told", "agreed"))
        assert told == sum(one["requests"] for one in traffic) - to_none
        assert answered == sum(one["requests"] - one["failures"] for one in traffic)
        assert run["attribution"]["disagreed"] == run["attribution"]["open"] == 0
