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
  drained: {users: 16, requests: 64}
  killed: {users: 16, requests: 64}
  none: {users: 16, requests: 64}
timeline:
  - start: whole
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


def test_the_director_is_asked_who_refused_and_its_weights_say_why(tmp_path: Path) -> None:
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
