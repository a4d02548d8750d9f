"""iptables and nftables in the lab's kernels: exact counts, and whose fault a failure is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HUNG_AFTER_S

pytestmark = pytest.mark.kernel

SCENARIO = """
name: nat
schedulers: [iptables, nftables]
service: {servers: 2}
traffic:
  held: {request: GET /delay/2, users: 6, requests: 6}
  killed: {users: 10, requests: 100}
  drained: {users: 10, requests: 60}
  none: {users: 10, requests: 20}
timeline:
  - start: held
    until: active == 6
  - kill: 2
  - start: killed
    until: done{class=killed}
  - scale: 3
    until: servers == 3
  - reweigh: {server: 1, weight: 0}
    until: weight{server=1} == 0
  - start: drained
    until: done{class=drained}
  - reweigh: {server: 2, weight: 0}
  - reweigh: {server: 3, weight: 0}
    until: weight{server=3} == 0
  - start: none
    until: done{class=none}
expect:
  iptables: ["share{class=drained, server=1} == 0"]
  nftables: ["share{class=drained, server=1} == 0"]
"""


@pytest.mark.parametrize(("kernel", "balancer"), [("uml", "iptables"), ("qemu", "nftables")])
def test_each_connection_is_counted_and_each_failure_has_its_server(
    kernel: str, balancer: str, tmp_path: Path
) -> None:
    (tmp_path / "nat.yaml").write_text(SCENARIO)
    words = ["run", f"{tmp_path}/nat.yaml", "--kernel", kernel, "--out", f"{tmp_path}/out"]
    done = subprocess.run(
        [sys.executable, "-m", "ipvsload", *words, "--scheduler", balancer],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = json.loads((tmp_path / "out" / "results.json").read_text())["runs"]
    one, two, three = run["servers"]
    for server in (one, two, three):  # validity has compared them with the generator's, too
        assert server["connections"] == sum(server["requests"].values())
    assert one["active_max"] + two["active_max"] >= 6
    failed = two["requests"]["killed"]  # nobody has chances of 1 in 2 to the power of 100
    assert 0 < failed < 100
    assert run["traffic"]["killed"]["refused_by"] == {"the server": failed}
    assert two["requests"]["drained"] + three["requests"]["drained"] == 60
    assert run["traffic"]["none"]["refused_by"] == {"no server": 20}
