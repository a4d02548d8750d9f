"""Modes and kinds of services, each from nothing to nothing, and what IPVS mode leaves behind."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ipvsload.errors import TestbedError
from ipvsload.experiment.run_state import RunState
from ipvsload.ipvs.ipvsadm import removal
from ipvsload.record.clock_alignment import align
from ipvsload.record.format import Sample
from ipvsload.record.sidecar_stream import Pong, Reading, SidecarParser
from ipvsload.sidecar.put_back import FILE
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.kubernetes import node_tables
from ipvsload.testbed.kubernetes.kubernetes_testbed import KubernetesTestbed
from ipvsload.testbed.kubernetes.leftover_services import describe, owners
from ipvsload.testbed.kubernetes.object_names import NAMESPACE, RESTORER
from tests.kubernetes.test_testbed import made, up
from tests.kubernetes.toy import AHEAD, Toy
from tests.patience import HUNG_AFTER_S


def session(testbed: KubernetesTestbed, *schedulers: str) -> list[str]:
    """A run of each with a server that joins; where the load went to."""
    aims = []
    up(testbed)
    try:
        for scheduler in schedulers:
            service = testbed.begin(ServiceSpec(scheduler, (1,)))
            assert service.balancer == scheduler
            assert testbed.add_server(1) != service.servers[0][0]
            aims.append(f"{service.target.host}:{service.target.port}")
            assert service.target.key in ("", f"tcp {aims[-1]}")
            testbed.end()
    finally:
        testbed.close()
    return aims


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_another_mode_after_ipvs(two: Toy, mode: str) -> None:
    """1.20 leaves what is in the table: so nothing of ours may be in it then."""
    before = two.cluster.picture()
    heard: list[str] = []
    session(made(heard), "rr", mode, "lc", mode)
    assert two.cluster.picture() == before
    assert all(json.loads(table.read_text())["services"] == [] for table in two.tables.values())
    assert not any("left" in line for line in heard)


def test_a_slow_proxy_carries_nothing_from_one_run_to_the_next(toy: Toy) -> None:
    """A Service that comes before kube-proxy has seen the last one go takes its servers over."""
    toy.proxy.pause = 0.7
    testbed = up(made())
    try:
        for scheduler in ("rr", "rr", "lc"):
            service = testbed.begin(ServiceSpec(scheduler, (1,)))
            table = json.loads(toy.tables["node1"].read_text())["services"]
            (servers,) = (found for key, _, found in table if key == service.target.key)
            assert [address for address, _, _ in servers] == [service.servers[0][0]]
            testbed.end()
    finally:
        testbed.close()


def test_what_a_slow_proxy_leaves_of_the_last_run_is_to_be_removed(toy: Toy) -> None:
    """Its Service is gone before the cluster is put back, so the run has to remember it."""
    asked: list[dict[str, Any]] = []
    restoring = "configmaps", NAMESPACE, RESTORER

    def after(method: str, path: str) -> None:
        if method == "POST" and (one := toy.cluster.objects.get(restoring)):
            asked.append(json.loads(one["data"][FILE]))

    testbed = up(made())
    service = testbed.begin(ServiceSpec("rr", (1,)))
    toy.proxy.pause = 60
    time.sleep(0.2)  # it is in its pause
    toy.cluster.after = after
    testbed.end()
    testbed.close()
    assert f":{service.target.port}" in asked[0]["remove"]


def test_a_proxy_that_starts_slowly_is_waited_for(toy: Toy) -> None:
    """While it says nothing, the rules that answer are those that it will take away."""
    testbed = up(made())
    toy.proxy.pause = 0.7
    try:
        for mode in ("nftables", "iptables"):
            testbed.begin(ServiceSpec(mode, (1,)))
            assert json.loads(toy.tables["node1"].read_text())["mode"] == mode
            testbed.end()
    finally:
        testbed.close()


def test_another_mode_in_a_cluster_that_was_in_ipvs(two: Toy) -> None:
    text = two.config_map["data"]["config.conf"]
    two.config_map["data"]["config.conf"] = text.replace('mode: "iptables"', "mode: ipvs")
    two.cluster.put("configmaps", "kube-system", two.config_map)
    before = two.cluster.picture()
    session(made(), "nftables", "rr")
    assert two.cluster.picture() == before


def test_stale_servers_in_mid_run_are_told_with_the_command(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    testbed = up(made())
    service = testbed.begin(ServiceSpec("rr", (1,)))
    monkeypatch.setattr(node_tables, "_TABLE_WITHIN", 2.0)
    command = f"ipvsadm -D -t {service.target.host}:{service.target.port}"
    with pytest.raises(TestbedError, match=f"left on node node1 .*, on that node: {command}"):
        testbed.set_balancer("iptables")
    testbed.close()


def test_a_cluster_ip(two: Toy) -> None:
    before = two.cluster.picture()
    testbed = made(service="ClusterIP")
    aims = session(testbed, "rr", "lc", "iptables")
    assert len(set(aims)) == 1  # it keeps its address
    assert aims[0].startswith("10.96.0.")
    assert aims[0].endswith(":80")
    assert two.cluster.picture() == before


def test_a_load_balancer(two: Toy) -> None:
    before = two.cluster.picture()
    testbed = made(service="LoadBalancer")
    assert session(testbed, "rr", "nftables")[0].startswith("192.0.2.9:")
    assert two.cluster.picture() == before


def test_two_nodes_each_with_its_clock_and_their_sums(two: Toy) -> None:
    """Every node's samples come, on a clock of its own, and a state adds them up."""
    testbed = up(made(service="LoadBalancer"))
    try:
        service = testbed.begin(ServiceSpec("rr", (1, 1)))
        assert testbed.kernel["nodes"] == "node1, node2"
        assert testbed.kernel["balancing"] == "node1, node2"
        pipe, stream = testbed.open_samples(20), SidecarParser()
        state = RunState({})
        for address, _ in service.servers:
            state.joined(address)
        for number, node in enumerate(two.tables):
            two.proxies[node].connections[service.target.key, service.servers[0][0]] = 3 + number
        sent = time.monotonic_ns()
        pipe.sendall(b"ping 1\n")
        clocks = {}
        end = time.monotonic() + HUNG_AFTER_S
        while time.monotonic() < end:
            for message in stream.feed(pipe.recv(65536)):
                received = time.monotonic_ns()
                if isinstance(message, Pong):
                    found = {"node1": message.t_ns, **message.others}
                    clocks = {n: align([(sent, t, received)]) for n, t in found.items()}
                elif isinstance(message, Reading) and clocks:
                    t_us = clocks[message.node].to_ours(message.t_ns) // 1000
                    state.sampled(Sample(1, message.node, t_us, 1, message.services))
            first, second = (state.in_table(address) for address, _ in service.servers)
            if first and first.conns == 7:
                break
        # The answer is a sample from within the ping's time, so the offset is right to that.
        for number, node in enumerate(two.tables, 1):
            clock = clocks[node]
            assert abs(clock.offset_ns - number * AHEAD) <= clock.uncertainty_ns < AHEAD // 2
        assert first
        assert second
        assert (first.conns, second.conns) == (7, 0)
    finally:
        testbed.close()


SCENARIO = """
name: small
schedulers: [rr]
service: {servers: 1}
traffic: {short: {request: GET /ip, users: 2, requests: 20}}
timeline:
  - scale: 2
    until: servers == 2
  - start: short
    until: done{class=short}
expect: {all: [failures == 0, "share{class=short, server=1} == 0.5", conns == 20]}
"""


@pytest.mark.long
@pytest.mark.parametrize("mode", ["rr", "nftables"])
def test_a_whole_run_on_two_nodes_and_its_record(two: Toy, tmp_path: Path, mode: str) -> None:
    before = two.cluster.picture()
    (tmp_path / "small.yaml").write_text(
        SCENARIO
        if mode == "rr"
        else SCENARIO.replace("    until: servers == 2\n", "").replace(", conns == 20", "")
    )
    words = ["run", "small.yaml", "--testbed", "kubernetes", "--scheduler", mode, "--out", "out"]
    command = [sys.executable, "-m", "ipvsload", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=HUNG_AFTER_S, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert two.cluster.picture() == before
    lines = (tmp_path / "out" / "samples.ndjson").read_text().splitlines()
    assert {json.loads(line).get("node") for line in lines} >= {"node1", "node2"}
    events = (tmp_path / "out" / "events.ndjson").read_text().splitlines()
    clocks = [event["data"] for event in map(json.loads, events) if event.get("kind") == "clock"]
    assert {clock["node"] for clock in clocks} == {"node1", "node2"}
    for clock in clocks:
        ahead = AHEAD // 1000 * int(clock["node"][-1])
        assert abs(clock["offset_us"] - ahead) <= clock["uncertainty_us"] < 2_500_000


def test_what_is_left_of_others_is_told(two: Toy) -> None:
    """The cluster's own services stay in the kernel, and there is a command for each."""
    spec = {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.1",
        "selector": {"is": "elsewhere"},
        "ports": [{"port": 443, "targetPort": 6443}],
    }
    two.cluster.put("services", "default", {"metadata": {"name": "kubernetes"}, "spec": spec})
    heard: list[str] = []
    session(made(heard), "rr")
    for node in two.tables:
        assert (
            f"kube-proxy has left virtual servers in the kernel of node {node}: tcp 10.96.0.1:443"
            " (default/kubernetes); they go with, on that node: ipvsadm -D -t 10.96.0.1:443"
        ) in heard
    # What is there before a run is not the run's.
    heard.clear()
    up(made(heard)).close()
    assert not any("left" in line for line in heard)


def test_a_proxy_that_cleans_up_is_waited_for(two: Toy) -> None:
    spec = {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.1",
        "selector": {"is": "elsewhere"},
        "ports": [{"port": 443, "targetPort": 6443}],
    }
    two.cluster.put("services", "default", {"metadata": {"name": "kubernetes"}, "spec": spec})
    for proxy in two.proxies.values():
        proxy.cleans = True
    heard: list[str] = []
    session(made(heard), "rr")
    assert not any("left" in line for line in heard)


def test_what_is_left_in_words() -> None:
    spec = {"clusterIP": "fd00::1", "ports": [{"port": 80, "nodePort": 30100}]}
    known = owners([{"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}])
    assert known == {"[fd00::1]:80": "shop/web", ":30100": "shop/web"}
    keys = ["tcp [fd00::1]:80", "udp 10.0.0.5:30100", "fwmark 7 v6"]
    text = describe("n", keys, known)
    assert "tcp [fd00::1]:80 (shop/web)" in text
    assert "udp 10.0.0.5:30100 (shop/web)" in text
    assert "fwmark 7 v6 (of a service that is not known here)" in text
    assert "; ipvsadm -D -u 10.0.0.5:30100; ipvsadm -D -f 7 -6" in text
    assert removal("sctp 10.0.0.5:1") == "ipvsadm -D --sctp-service 10.0.0.5:1"
    assert "and 2 more; they go with, on that node: kube-proxy --cleanup" in describe(
        "n", "a" * 7, {}
    )
