"""`--testbed external` with a keepalived in the lab's director, as its owner would run it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HUNG_AFTER_S

pytestmark = pytest.mark.kernel

IPVSLOAD = f"{sys.executable} -m ipvsload"
CONFIG = """\
virtual_server 192.0.2.80 8080 {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    delay_loop 5
    real_server 198.51.100.11 80 { weight 1 }
    real_server 198.51.100.12 80 { weight 1 }
}
"""
SCENARIO = """
name: external
schedulers: [rr, lc]
service: {servers: 2}
traffic:
  short: {users: 4, requests: 200}
  slow: {users: 2, requests: 2, request: GET /delay/3, timeout: 500ms}
timeline:
  - start: short
    until: done{class=short}
  - start: slow
    until: done{class=slow}
expect:
  all: ["failures{class=short} == 0", "requests{class=short} == 200"]
  rr: ["share{class=short, server=1} == 50%"]
"""


@pytest.mark.skipif(
    shutil.which("keepalived", path="/usr/sbin:/sbin") is None,
    reason="keepalived is missing (apt-get install keepalived)",
)
def test_a_keepalived_director(tmp_path: Path) -> None:
    (tmp_path / "keepalived.conf").write_text(CONFIG)
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    set_scheduler = tmp_path / "set-scheduler"
    set_scheduler.write_text(
        f'#!/bin/sh\nsed -i "s/lb_algo .*/lb_algo $1/" {tmp_path}/keepalived.conf\n'
        f"exec {IPVSLOAD} lab exec -- sh -c 'kill -HUP $(cat /run/keepalived.pid)'\n"
    )
    set_scheduler.chmod(0o755)
    script = tmp_path / "script"
    script.write_text(
        f"{IPVSLOAD} lab exec -- keepalived -n -l -C -f {tmp_path}/keepalived.conf"
        f" -p /run/keepalived.pid -c /run/checkers.pid > {tmp_path}/log 2>&1 &\n"
        f"for i in 1 2 3 4 5 6 7 8 9 10; do {IPVSLOAD} lab exec -- ipvsadm -ln"
        " | grep -q 8080 && break; sleep 0.5; done\n"
        f"{IPVSLOAD} run {tmp_path}/scenario.yaml --testbed external"
        f" --url http://192.0.2.80:8080 --sidecar '{IPVSLOAD} lab exec -- {IPVSLOAD} collect'"
        f" --set-scheduler '{set_scheduler} {{scheduler}}' --out {tmp_path}/out\n"
        "status=$?\n"
        f"{IPVSLOAD} lab exec -- ipvsadm -ln > {tmp_path}/after\n"
        f"{IPVSLOAD} lab exec -- sh -c 'kill $(cat /run/keepalived.pid)'; wait; exit $status\n"
    )
    done = subprocess.run(
        [*IPVSLOAD.split(), "lab", "--servers", "2", "--", "sh", str(script)],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
        env={
            **os.environ,
            "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
            "XDG_STATE_HOME": str(tmp_path),
        },
    )
    log = (tmp_path / "log").read_text() if (tmp_path / "log").exists() else ""
    assert done.returncode == 0, done.stdout + done.stderr + log
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert found["verdict"] == "held"
    assert [run["scheduler"] for run in found["runs"]] == ["rr", "lc"]
    assert all(run["kernel"]["provider"] == "node" for run in found["runs"])
    assert all(sum(one["connections"] for one in run["servers"]) == 202 for run in found["runs"])
    # Nobody answered these: the director was asked to whom it gave them.
    assert [one["requests"]["slow"] for one in found["runs"][0]["servers"]] == [1, 1]
    # Put back as it was.
    assert "192.0.2.80:8080 rr" in (tmp_path / "after").read_text()
