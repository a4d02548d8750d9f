"""The carried code, by a bare interpreter with nothing installed; and what is read of it."""

import ast
import io
import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.table import RealServer
from ipvsload.record.sidecar_stream import Connections, ConnectionsRead, Settings, SidecarParser
from ipvsload.testbed.kubernetes import manifests, sidecar_zipapp
from ipvsload.testbed.kubernetes.node_lines import (
    NodeState,
    connection_count,
    together,
    tracked,
)
from tests.patience import HUNG_AFTER_S


def test_a_bare_interpreter_runs_it(tmp_path: Path) -> None:
    archive = tmp_path / "ipvsload.pyz"
    archive.write_bytes(sidecar_zipapp.archive(sidecar_zipapp.SIDECAR))
    process = subprocess.Popen(
        ["python3", "-I", "-S", archive, "--hz", "20", "--node", "n", "--service", ":30080"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    assert process.stdout
    with process.stdout as lines:
        hello = json.loads(lines.readline())
        told = map(json.loads, lines)
        sample = next(line for line in told if "services" in line)
        process.terminate()
        rest = [json.loads(line) for line in lines]
    assert process.wait(HUNG_AFTER_S) == 0
    assert (hello["ipvsload"], hello["node"]) == ("samples", "n")
    assert sample["services"] == []
    assert rest[-1]["end"] == "SIGTERM"


@pytest.mark.parametrize(
    "module", [sidecar_zipapp.SIDECAR, sidecar_zipapp.EXAMINER, sidecar_zipapp.RESTORER]
)
def test_all_that_its_modules_ever_import_is_carried(module: str) -> None:
    """Within functions, too: a node may have what this machine has not."""
    with zipfile.ZipFile(io.BytesIO(sidecar_zipapp.archive(module))) as archive:
        carried = set(archive.namelist())
        sources = {name: archive.read(name) for name in carried if name.startswith("ipvsload/")}
    lacking = []
    for name, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for imported in filter(None, names):
                place = imported.replace(".", "/")
                ours = imported.partition(".")[0] in ("ipvsload", "pyroute2")
                if ours and not carried & {f"{place}.py", f"{place}/__init__.py"}:
                    lacking.append((name, imported))
    assert lacking == []


def test_it_fits_a_config_map_and_is_the_same_each_time() -> None:
    archive = sidecar_zipapp.archive(sidecar_zipapp.SIDECAR)
    assert archive == sidecar_zipapp.archive(sidecar_zipapp.SIDECAR)
    size = len(json.dumps(manifests.code("x", archive)))
    assert size < 200_000  # of 1 MiB


def test_the_sidecar_has_no_rights_but_one() -> None:
    spec = manifests.sidecar("s", "python", ["--hz", "10"])["spec"]["template"]["spec"]
    container = spec["containers"][0]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "ports" not in container
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]},
        "runAsUser": 0,
    }
    rootless = manifests.sidecar("s", "python", [], rootless=True)
    security = rootless["spec"]["template"]["spec"]["containers"][0]["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["runAsNonRoot"] is True


def sample(number: int, key: str = "tcp 10.0.0.1:30080", conns: int = 0) -> bytes:
    rows = [["10.1.0.1:80", 1, 2, 3, 0, conns, 0, 0, 0, 0]]
    service = {"key": key, "scheduler": "rr", "conns": conns, "inpkts": 0, "outpkts": 0,
               "inbytes": 0, "outbytes": 0, "servers": rows}  # fmt: skip
    return json.dumps({"n": number, "t": number * 100, "took": 10, "services": [service]}).encode()


HELLO = b'{"ipvsload":"samples","t":1}'


@given(st.lists(st.integers(0, 30), max_size=8))
def test_no_sample_is_lost_or_doubled_however_often_the_log_is_opened(cuts: list[int]) -> None:
    """The log breaks off after each of these lines, and is opened again from three lines before."""
    log = [HELLO, *(sample(n) for n in range(30))]
    lines = NodeState("n", "tcp 10.0.0.1:30081", ["tcp 10.0.0.1:30080"], "tcp x:1")
    seen, at = [], 0
    for cut in [*sorted(cuts), len(log)]:
        out = [lines.feed(line) for line in log[max(0, at - 3) : cut]]
        seen += [json.loads(line)["n"] for line in out if line]
        at = max(at, cut)
    assert seen == list(range(30))


def test_another_process_counts_anew_and_stderr_is_kept() -> None:
    lines = NodeState("n", "tcp 10.0.0.1:30081", ["tcp 10.0.0.1:30080"], "tcp x:1")
    assert lines.feed(HELLO) is None
    assert json.loads(lines.feed(sample(5)) or b"")["services"][0]["key"] == "tcp x:1"
    assert lines.feed(sample(5)) is None
    assert lines.feed(b"Traceback: the interpreter's own words") is None
    assert "own words" in lines.stderr
    lines.feed(b'{"ipvsload":"samples","t":2}')
    assert lines.feed(sample(0)) is not None
    assert lines.connections == {}
    with pytest.raises(ValueError, match="Expecting"):
        lines.feed(b"{no json")


def test_what_is_set_on_a_node_is_passed_on_once_with_its_name() -> None:
    def told(t: int, tcp: int) -> bytes:
        settings = {"timeouts": {"tcp": tcp}, "sysctls": {}, "schedulers": {"lc": "absent"}}
        return json.dumps({"settings": settings, "t": t}).encode()

    lines = NodeState("n", "tcp 10.0.0.1:30081", ["tcp 10.0.0.1:30080"], "tcp x:1")
    lines.feed(HELLO)
    parser = SidecarParser()
    assert lines.feed(told(5, 900)) == lines.settings
    # The log is opened again, from before the first line.
    passed = [lines.feed(told(t, tcp)) for t, tcp in ((5, 900), (9, 3), (5, 900), (9, 3))]
    assert [line is not None for line in passed] == [False, True, False, False]
    hello = {**dict.fromkeys(("node", "kernel", "ipvs"), ""), "ipvsload": "samples", "version": 1,
             "hz": 1, "t": 1, "wall": 1, "server_columns": RealServer._fields}  # fmt: skip
    _, settings = parser.feed(json.dumps(hello).encode() + b"\n" + lines.settings)
    assert settings == Settings(9, {"tcp": 3}, {}, "n", {"lc": "absent"})
    assert lines.schedulers == {"lc": "absent"}


def test_connections_are_passed_on_once_with_the_nodes_name() -> None:
    lines = NodeState("n", "tcp 10.0.0.1:30081", ["tcp 10.0.0.1:30080"], "tcp x:1")
    lines.feed(HELLO)
    row = ["10.0.0.9", 4000, "10.1.0.1:80", "ESTABLISHED", 30080]
    read = {"entries": 5, "began": 6, "source": "ip_vs_conn", "why": ""}
    log = [
        json.dumps(one).encode()
        for one in ({"connections": [row], "t": 7}, {"connections_read": read, "t": 8})
    ]
    # The log is opened again, from before the first line.
    passed = [lines.feed(line) for line in log + log]
    assert passed[2:] == [None, None]
    assert lines.connections == {("10.0.0.9", 4000): "10.1.0.1:80"}
    assert lines.readings == 1
    hello = {**dict.fromkeys(("node", "kernel", "ipvs"), ""), "ipvsload": "samples", "version": 1,
             "hz": 1, "t": 1, "wall": 1, "server_columns": RealServer._fields}  # fmt: skip
    parsed = SidecarParser().feed(
        json.dumps(hello).encode() + b"\n" + b"".join(one for one in passed if one)
    )
    assert parsed[1:] == [
        Connections(7, (tuple(row),), "n"),  # type: ignore[arg-type]
        ConnectionsRead(6, 8, 5, "ip_vs_conn", "", "n"),
    ]


def test_one_service_under_two_addresses_is_one() -> None:
    one = json.loads(sample(0, conns=3))["services"][0]
    both = together([one, {**one, "key": "other"}], "name")
    assert both["key"] == "name"
    assert both["conns"] == 6
    assert both["servers"] == [["10.1.0.1:80", 1, 4, 6, 0, 6, 0, 0, 0, 0]]
    assert connection_count(both) == 10
    assert connection_count(None) == 0


def test_where_ipvs_does_not_balance_samples_have_the_runs_servers_and_no_others() -> None:
    pods = {"10.0.0.1:80": True, "10.0.0.2:80": True, "10.0.0.3:80": False, "10.0.0.4:80": False}
    seen = {
        "key": "tcp 192.0.2.1:30080", "scheduler": "iptables", "flags": 0, "persistent_timeout": 0,
        "conns": 9, "inpkts": 0, "outpkts": 0, "inbytes": 0, "outbytes": 0,
        "servers": [
            ["10.0.0.9:80", 1, 0, 4, 0, 4, 0, 0, 0, 0],  # of the run before
            ["10.0.0.1:80", 1, 2, 1, 0, 3, 0, 0, 0, 0],
            ["10.0.0.3:80", 1, 1, 1, 0, 2, 0, 0, 0, 0],
        ],
    }  # fmt: skip
    whole = tracked(seen, "tcp 192.0.2.1:30080", "iptables", pods)
    assert whole["servers"] == [
        ["10.0.0.1:80", 1, 2, 1, 0, 3, 0, 0, 0, 0],
        ["10.0.0.2:80", 1, 0, 0, 0, 0, 0, 0, 0, 0],  # it has had none yet
        ["10.0.0.3:80", 0, 1, 1, 0, 2, 0, 0, 0, 0],  # it left with one open
    ]
    lines = [
        {"ipvsload": "samples", "t": 1},
        {"proxy_mode": "nftables", "proxy_version": ""},
        {"n": 0, "t": 2, "took": 1, "services": []},
    ]
    node = NodeState("n", "tcp 192.0.2.1:30081", keys=["tcp 192.0.2.1:30080"], key="k", pods=pods)
    *_, sample = (node.feed(json.dumps(line).encode()) for line in lines)
    assert sample
    (service,) = json.loads(sample)["services"]
    assert (service["key"], service["scheduler"]) == ("k", "nftables")
    assert [row[0] for row in service["servers"]] == ["10.0.0.1:80", "10.0.0.2:80"]
