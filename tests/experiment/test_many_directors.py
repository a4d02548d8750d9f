"""A run over several directors, with a real kernel: each one's table, and the requests it had."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ipvsload.record.events import DirectorSettings
from ipvsload.record.reader import read
from tests.patience import HUNG_AFTER_S

pytestmark = pytest.mark.kernel

SCENARIO = """
name: many
schedulers: [rr]
service: {servers: 2, clients: 2, directors: 3, spread: random}
traffic:
  served: {users: 4, requests: 120}
  killed: {users: 4, requests: 60}
timeline:
  - start: served
    until: done
  - kill: 2
  - start: killed
    until: done
expect:
  all:
    - failures{class=served} == 0
    - conns == 180
"""


def test_each_director_counts_what_went_through_it(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text(SCENARIO)
    words = ["run", f"{tmp_path}/many.yaml", "--out", f"{tmp_path}/out"]
    done = subprocess.run(
        [sys.executable, "-m", "ipvsload", *words],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = json.loads((tmp_path / "out" / "results.json").read_text())["runs"]
    (recorded,) = read(tmp_path / "out").runs
    sent = Counter((request.director, request.server) for request in recorded.requests)
    assert {director for director, _ in sent} == {1, 2, 3}
    for number, director in enumerate(run["directors"], 1):
        assert director["node"] == f"director-{number}"
        # Also of those that were refused: the kernel knows by which server.
        for address, connections in director["connections"].items():
            assert connections == sent[number, address]
        # By turns, each for itself.
        one, two = director["connections"].values()
        assert abs(one - two) <= 1
    refused = (
        sum(count for (_, server), count in sent.items() if server == run["servers"][1]["address"])
        - run["servers"][1]["requests"]["served"]
    )
    assert run["traffic"]["killed"]["refused_by"] == {"the server": refused}
    told = {event.node for event in recorded.of_type(DirectorSettings)}
    assert told == {f"director-{number}" for number in (1, 2, 3)}
