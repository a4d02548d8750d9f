"""The testbed against an API over real HTTP, also when that goes wrong."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from ipvsload.errors import TestbedError, UsageError
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.kubernetes import node_tables, pods, proxies
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.examined_cluster import examine_cluster
from ipvsload.testbed.kubernetes.kubeconfig import connect
from ipvsload.testbed.kubernetes.kubernetes_testbed import KubernetesTestbed
from ipvsload.testbed.kubernetes.proxy_config import edit
from ipvsload.testbed.kubernetes.server_pods import ServerPods
from tests.kubernetes.toy import Toy
from tests.patience import HUNG_AFTER_S


def made(
    told: list[str] | None = None, asked: Sequence[str] = (), **options: Any
) -> KubernetesTestbed:
    heard = told if told is not None else []
    return KubernetesTestbed(ClusterOptions(**options), hz=20, tell=heard.append, asked=asked)


def pods_of_first_run() -> ServerPods:
    return ServerPods(examine_cluster(ClusterOptions(), lambda _: None), 1)


def up(testbed: KubernetesTestbed) -> KubernetesTestbed:
    testbed.start()
    testbed.wait_ready()
    return testbed


def test_a_session_from_nothing_to_nothing(toy: Toy) -> None:
    before = toy.cluster.picture()
    text = toy.config
    told: list[str] = []
    testbed = up(made(told))
    assert "kube-proxy on node node1 is v1.33.1-of-its-own and runs iptables" in told
    try:
        for scheduler in ("rr", "lc"):
            service = testbed.begin(ServiceSpec(scheduler, (1,)))
            assert service.balancer == scheduler
            assert len(service.servers) == 1
            assert "mode: ipvs  # ours" in toy.config
            assert f"scheduler: {scheduler}    # the default" in toy.config
            second = testbed.add_server(1)
            third = testbed.add_server(1)
            assert len({service.servers[0][0], second, third}) == 3
            testbed.remove_server(second)
            assert testbed.kernel["provider"] == "node"
            assert testbed.kernel["kube_proxy"] == "v1.33.1-of-its-own"
            assert testbed.kernel["balancing"] == "node1"
            testbed.end()
    finally:
        testbed.close()
    assert toy.cluster.picture() == before
    assert toy.config == text
    testbed.close()


def test_samples_and_pings_come_through(toy: Toy) -> None:
    testbed = up(made())
    try:
        service = testbed.begin(ServiceSpec("rr", (1, 1)))
        stream = testbed.open_samples(20)
        data = b""
        while data.count(b"\n") < 3:
            data += stream.recv(65536)
        hello, first, *_ = data.splitlines()
        assert b'"ipvsload": "samples"' in hello
        assert service.target.key.encode() in first
        assert b'"node":"node1"' in first
        # Nobody counts connections in this table: the delay of logs is what is left.
        stream.sendall(b"ping 7\n")
        while b'"pong": "7"' not in data:
            data += stream.recv(65536)
    finally:
        testbed.close()


def test_a_missing_right_is_named_and_nothing_is_touched(toy: Toy) -> None:
    before = toy.cluster.picture()
    toy.cluster.allowed = lambda attributes: attributes["verb"] != "update"
    with pytest.raises(TestbedError, match="update configmaps kube-proxy in kube-system"):
        made().start()
    assert toy.cluster.picture() == before
    assert all(method == "GET" or "selfsubject" in path for method, path in toy.cluster.requests)


def test_the_silent_fallback_is_seen(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_tables, "_DIAGNOSE_AFTER", 1.0)
    toy.missing.add("lc")
    before = toy.cluster.picture()
    testbed = up(made())
    try:
        testbed.begin(ServiceSpec("rr", (1,)))
        testbed.end()
        with pytest.raises(TestbedError, match=r"fallen back to iptables.*\[ip_vs_lc\]"):
            testbed.begin(ServiceSpec("lc", (1,)))
    finally:
        testbed.close()
    assert toy.cluster.picture() == before


def test_somebody_elses_edit_is_never_overwritten(toy: Toy) -> None:
    testbed = up(made())
    testbed.begin(ServiceSpec("rr", (1,)))
    testbed.end()
    theirs = toy.config + "featureGates: {Theirs: true}\n"
    toy.config_map["data"]["config.conf"] = theirs
    toy.cluster.put("configmaps", "kube-system", toy.config_map)
    with pytest.raises(TestbedError, match="somebody has changed"):
        testbed.begin(ServiceSpec("lc", (1,)))
    with pytest.raises(TestbedError, match="their edit was kept"):
        testbed.close()
    assert 'mode: ""' not in toy.config
    assert "mode: iptables  # ours" in toy.config
    assert "featureGates: {Theirs: true}" in toy.config


def test_a_second_run_is_refused_with_owner_and_age(toy: Toy) -> None:
    first = up(made())
    second = made()
    second.start()
    with pytest.raises(
        TestbedError, match=r"a run is active .*@.* \(process \d+\), begun \d+ s ago"
    ):
        second.wait_ready()
    second.close()
    first.begin(ServiceSpec("rr", (1,)))  # it was not disturbed
    first.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "not YAML"),
        ("apiVersion: kubeproxy.config.k8s.io/v7\nkind: KubeProxyConfiguration\n", "v7"),
    ],
)
def test_a_config_map_that_is_not_understood(toy: Toy, text: str, words: str) -> None:
    toy.config_map["data"]["config.conf"] = text
    before = toy.cluster.picture()
    with pytest.raises(TestbedError, match=words):
        made().start()
    assert toy.cluster.picture() == before


def test_without_the_config_map_the_proxy_is_measured_as_it_is(toy: Toy) -> None:
    # Somebody has set it up so.
    toy.config_map["data"]["config.conf"] = edit(toy.config, "ipvs", "lc")
    proxies.restart(connect(), lambda _: None)
    deadline = time.monotonic() + HUNG_AFTER_S
    while toy.proxy.mode != "ipvs" and time.monotonic() < deadline:
        time.sleep(0.05)
    held = toy.config_map
    del toy.cluster.objects["configmaps", "kube-system", "kube-proxy"]
    again = up(made())
    try:
        assert "(key config.conf) in kube-system, and that is not there" in again.lacks["scheduler"]
        assert again.begin(ServiceSpec("", (1,))).balancer == "lc"
        with pytest.raises(TestbedError, match="is not there"):
            again.set_balancer("rr")
    finally:
        again.close()
    held["data"]["config.conf"] = edit(held["data"]["config.conf"], "iptables", "lc")
    toy.cluster.put("configmaps", "kube-system", held)
    proxies.restart(connect(), lambda _: None)
    kept = up(made(keep_proxy=True))
    try:
        assert kept.begin(ServiceSpec("", (1,))).balancer == "iptables"
    finally:
        kept.close()


def test_slow_pods_and_their_own_words(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    testbed = up(made())
    monkeypatch.setattr(pods, "READY_WITHIN", 1.0)
    toy.kubelets[0]._ready_after = 3600
    with pytest.raises(TestbedError, match=r"waited 1 s for 1 real servers"):
        testbed.begin(ServiceSpec("rr", (1,)))
    for key, pod in toy.cluster.objects.items():
        if key[0] == "pods" and "servers" in key[2]:
            waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
            pod["status"]["containerStatuses"] = [{"state": {"waiting": waiting}}]
    with pytest.raises(TestbedError, match="ImagePullBackOff: no such image"):
        pods_of_first_run().wait_ready(1)
    testbed.close()


def test_weights_and_kill_are_not_a_clusters(toy: Toy) -> None:
    testbed = up(made())
    try:
        with pytest.raises(UsageError, match="weight 1"):
            testbed.begin(ServiceSpec("wrr", (1, 2)))
        with pytest.raises(TestbedError, match="need the lab"):
            testbed.fault_server("127.0.1.1:80", "kill")
    finally:
        testbed.close()


def test_iptables_mode(toy: Toy) -> None:
    testbed = up(made())
    try:
        service = testbed.begin(ServiceSpec("iptables", (1, 1)))
        assert service.balancer == "iptables"
        assert service.target.key == ""
        assert len(service.servers) == 2
        assert testbed.add_server(1)
        # IPVS's tables know nothing of these connections.
        assert testbed.connection_servers([("127.0.0.1", 4000)]) is None
    finally:
        testbed.close()


def test_who_served_a_connection_is_asked_of_the_nodes(toy: Toy) -> None:
    testbed = up(made())
    try:
        testbed.begin(ServiceSpec("rr", (1,)))
        testbed._up.sidecars.entry.connections["127.0.0.1", 4000] = "127.0.1.1:80"
        found = testbed.connection_servers([("127.0.0.1", 4000), ("127.0.0.1", 4001)])
        assert found == ["127.0.1.1:80", None]
    finally:
        testbed.close()
