"""`--testbed external` with a keepalived in the lab's director, as its owner would run it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ipvsload.record.reader import read
from tests.patience import HUNG_AFTER_S

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(
        not all(shutil.which(one, path="/usr/sbin:/sbin") for one in ("keepalived", "nginx")),
        reason="keepalived or nginx is missing (apt-get install keepalived nginx-light)",
    ),
]

IPVSLOAD = f"{sys.executable} -m ipvsload"
ONE, TWO = "198.51.100.11", "198.51.100.12"
SERVICE = """\
virtual_server 192.0.2.80 {port} {{
    lb_algo rr
    lb_kind NAT
    protocol TCP
    delay_loop 5
    real_server 198.51.100.11 {server_port} {{ weight 1 }}
    real_server 198.51.100.12 {server_port} {{ weight 1 }}
}}
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

NGINX = """\
user root;
pid {folder}/{name}.pid;
error_log {folder}/{name}.errors;
events {{ worker_connections 256; }}
http {{
    log_format line '$remote_addr $remote_port $request_uri $status';
    access_log {folder}/{name}.log line;
    server {{
        listen {address}:8081;
        location / {{ return 200 "it"; }}
        location /busy {{ return 503; }}
        location /gone {{ return 444; }}
    }}
}}
"""
"""444: nginx closes the connection without an answer."""
NGINX_SCENARIO = """
name: nginx
schedulers: [rr]
service: {servers: 2}
traffic:
  fresh: {users: 8, requests: 1500, request: GET /fresh}
  kept: {users: 7, requests: 1500, request: GET /kept, connection: keep-alive}
  gone: {users: 3, requests: 99, request: GET /gone}
  busy: {users: 2, requests: 51, request: GET /busy, connection: keep-alive}
timeline:
  - start: [fresh, kept, gone, busy]
    until: done
expect:
  all: ["share{class=fresh, server=1} <= 55%", "share{class=fresh, server=1} >= 45%"]
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with the lab's servers, and one with two of nginx, which say nothing of themselves."""
    folder = tmp_path_factory.mktemp("keepalived")
    services = [(8081, 8081), (8080, 80)]
    config = (SERVICE.format(port=port, server_port=its) for port, its in services)
    (folder / "keepalived.conf").write_text("".join(config))
    for name, address in (("one", ONE), ("two", TWO)):
        conf = NGINX.format(folder=folder, name=name, address=address)
        (folder / f"{name}.conf").write_text(conf)
    (folder / "scenario.yaml").write_text(SCENARIO)
    (folder / "nginx.yaml").write_text(NGINX_SCENARIO)
    set_scheduler = folder / "set-scheduler"
    set_scheduler.write_text(
        f'#!/bin/sh\nsed -i "s/lb_algo .*/lb_algo $1/" {folder}/keepalived.conf\n'
        f"exec {IPVSLOAD} lab exec -- sh -c 'kill -HUP $(cat /run/keepalived.pid)'\n"
    )
    set_scheduler.chmod(0o755)
    run = f"{IPVSLOAD} run --testbed external --sidecar '{IPVSLOAD} lab exec -- {IPVSLOAD} collect'"
    script = folder / "script"
    script.write_text(
        f"{IPVSLOAD} lab exec -- keepalived -n -l -C -f {folder}/keepalived.conf"
        f" -p /run/keepalived.pid -c /run/checkers.pid > {folder}/log 2>&1 &\n"
        # The servers of the lab have a network namespace of their own; nginx goes there, too.
        "servers=$(grep -l testbed.lab.real_server[s] /proc/[0-9]*/cmdline | head -n 1)\n"
        "servers=${servers%/cmdline}\n"
        f"for name in one two; do nsenter --net=$servers/ns/net nginx -c {folder}/$name.conf;"
        " done\n"
        f"for i in 1 2 3 4 5 6 7 8 9 10; do {IPVSLOAD} lab exec -- ipvsadm -ln"
        " | grep -q 8080 && break; sleep 0.5; done\n"
        f"{run} {folder}/nginx.yaml --url http://192.0.2.80:8081 --out {folder}/nginx\n"
        "nginx=$?\n"
        f"kill -QUIT $(cat {folder}/one.pid {folder}/two.pid)\n"
        f"{run} {folder}/scenario.yaml --url http://192.0.2.80:8080"
        f" --set-scheduler '{set_scheduler} {{scheduler}}' --out {folder}/out\n"
        "status=$?\n"
        f"{IPVSLOAD} lab exec -- ipvsadm -ln > {folder}/after\n"
        f"{IPVSLOAD} lab exec -- sh -c 'kill $(cat /run/keepalived.pid)'; wait\n"
        "exit $((status + nginx))\n"
    )
    done = subprocess.run(
        [*IPVSLOAD.split(), "lab", "--servers", "2", "--", "sh", str(script)],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
        env={
            **os.environ,
            "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
            "XDG_STATE_HOME": str(folder),
        },
    )
    log = (folder / "log").read_text() if (folder / "log").exists() else ""
    assert done.returncode == 0, done.stdout + done.stderr + log
    return folder


def results(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "results.json").read_text())
    return found


def test_a_keepalived_director(runs: Path) -> None:
    found = results(runs / "out")
    assert found["verdict"] == "held"
    assert [run["scheduler"] for run in found["runs"]] == ["rr", "lc"]
    assert all(run["kernel"]["provider"] == "node" for run in found["runs"])
    assert all(sum(one["connections"] for one in run["servers"]) == 202 for run in found["runs"])
    # Nobody answered these: the director's list has to whom it gave them.
    assert [one["requests"]["slow"] for one in found["runs"][0]["servers"]] == [1, 1]
    for run in found["runs"]:
        attribution = run["attribution"]
        assert (attribution["told"], attribution["agreed"]) == (202, 200)
    # Put back as it was.
    assert "192.0.2.80:8080 rr" in (runs / "after").read_text()


def test_splits_over_servers_that_say_nothing_are_those_of_their_own_logs(runs: Path) -> None:
    (run,) = read(runs / "nginx").runs
    seen: dict[str | None, list[str]] = {}
    for one in run.requests:
        status = one.status or 444
        line = f"{one.client} {one.port} /{one.traffic} {status}"
        seen.setdefault(one.server, []).append(line)
    logs = {
        f"{address}:8081": (runs / f"{name}.log").read_text().splitlines()
        for name, address in (("one", ONE), ("two", TWO))
    }
    assert {server: sorted(lines) for server, lines in seen.items()} == {
        server: sorted(lines) for server, lines in logs.items()
    }
    (found,) = results(runs / "nginx")["runs"]
    split = {
        server: Counter(line.split("/")[1].split()[0] for line in lines)
        for server, lines in logs.items()
    }
    assert {one["address"]: one["requests"] for one in found["servers"]} == split
    assert {one["address"]: one["failures"]["gone"] for one in found["servers"]} == {
        server: its["gone"] for server, its in split.items()
    }
    attribution = found["attribution"]
    assert (attribution["told"], attribution["agreed"], attribution["open"]) == (3150, 0, 0)
    assert all(one["latency_ms"]["kept"]["p50"] for one in found["servers"])
    page = re.sub(r"<[^>]+>|\s+", " ", (runs / "nginx" / "report.html").read_text())
    assert "3150 told by the director&#39;s list of connections; no answer names its own" in page
