"""Nodes that are not Ready, or go down: told, not waited for, and what is left there is said."""

import threading

import pytest

from ipvsload.errors import TestbedError
from ipvsload.experiment.run_state import RunState
from ipvsload.record.format import Sample
from ipvsload.record.sidecar_stream import NodeLost, Pong, Reading, SidecarParser
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.kubernetes import node_objects, proxies, restore, server_pods
from ipvsload.testbed.kubernetes.api import Object
from ipvsload.testbed.kubernetes.cluster_doctor import examine
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.examined_cluster import examine_cluster
from ipvsload.testbed.kubernetes.kubeconfig import connect
from tests.kubernetes import apiserver
from tests.kubernetes.apiserver import Refusal
from tests.kubernetes.foreign_table import THEIRS
from tests.kubernetes.test_restore import killed_after
from tests.kubernetes.test_testbed import made, up
from tests.kubernetes.toy import Toy

SILENT = "it is not Ready: Kubelet stopped posting node status"


def test_a_node_that_is_not_ready_is_told_and_left_out(two: Toy) -> None:
    two.power_off("node2")
    before = two.cluster.picture()
    told: list[str] = []
    testbed = up(made(told))
    try:
        assert testbed.begin(ServiceSpec("rr", (1,))).balancer == "rr"
        assert testbed.kernel["nodes"] == "node1"
        testbed.set_balancer("lc")
    finally:
        testbed.close()
    assert f"node node2 is left out: {SILENT}" in told
    assert two.cluster.picture() == before


def test_one_that_goes_down_in_mid_run_is_left_out(two: Toy) -> None:
    told: list[str] = []
    testbed = up(made(told))
    try:
        testbed.begin(ServiceSpec("rr", (1,)))
        two.power_off("node2")
        testbed.set_balancer("lc")
        assert testbed.add_server(1)
        testbed.end()
        assert testbed.begin(ServiceSpec("rr", (1,))).balancer == "rr"
    finally:
        testbed.close()
    assert f"the sidecar on node node2 is lost: {SILENT}; the node is left out" in told
    assert any(line.startswith("the sidecar on node node2 is lost (") for line in told)
    assert 'mode: "iptables"  # ours' in two.config


def test_a_run_hears_of_it_and_goes_on_with_the_others(two: Toy) -> None:
    testbed = up(made())
    try:
        testbed.begin(ServiceSpec("rr", (1,)))
        pipe, stream, state = testbed.open_samples(20), SidecarParser(), RunState({})
        two.power_off("node2")
        lost, after = None, 0
        while after < 3:
            for message in stream.feed(pipe.recv(65536)):
                if isinstance(message, Reading):
                    sample = Sample(1, message.node, message.t_ns // 1000, 1, message.services)
                    state.sampled(sample)
                    after += lost is not None
                elif isinstance(message, NodeLost):
                    lost = message
                    state.lost(message.node)
        assert lost == NodeLost("node2", SILENT)
        assert state.sample_us == sample.t_us  # it is not held up by what came of node2
        pipe.sendall(b"ping 1\n")
        pong = None
        while pong is None:
            found = stream.feed(pipe.recv(65536))
            pong = next((one for one in found if isinstance(one, Pong)), None)
        assert pong.others == {}
    finally:
        testbed.close()


def test_the_restart_goes_on_as_soon_as_the_cluster_knows(two: Toy) -> None:
    """A node is Ready for some time after its end: until then its proxy is waited for."""
    two.power_off("node2", told=False)
    told: list[str] = []
    timer = threading.Timer(1.0, two.not_ready, ("node2",))
    timer.start()
    proxies.restart(connect(), told.append)
    timer.join()
    assert told == [f"node node2 is left out: {SILENT}"]


def test_the_node_that_takes_the_load_is_named(two: Toy) -> None:
    testbed = up(made(node="node2"))
    testbed.begin(ServiceSpec("rr", (1,)))
    pipe = testbed.open_samples(20)
    two.power_off("node2")

    def drain() -> None:
        while pipe.recv(65536):
            pass

    with pytest.raises(TestbedError, match=f"the sidecar on node node2 is lost: {SILENT}"):
        drain()
    testbed.close()
    assert 'mode: "iptables"  # ours' in two.config


def test_restore_finishes_on_the_others_and_says_what_is_left(two: Toy) -> None:
    two.proxies["node1"].foreign.add(THEIRS)
    two.proxies["node2"].foreign.add(THEIRS)
    before, text = two.cluster.picture(), two.config
    killed_after(two, 20)
    assert two.config != text
    two.power_off("node2")
    told: list[str] = []
    left = restore.restore(connect(), told.append)
    assert two.config == text
    assert two.proxies["node1"].foreign.read() == [THEIRS]
    assert len(left) == 1
    assert f"on node node2 are not put back: {SILENT}" in left[0]
    assert "-A -t 203.0.113.9:6443 -s wlc -p 600\n" in left[0]
    assert any("is removed without the word of node node2" in line for line in told)
    assert two.cluster.picture().keys() == before.keys()
    assert restore.restore(connect(), told.append) == [
        "there is nothing of ipvsload in this cluster"
    ]


def test_a_real_server_that_was_to_start_there_is_made_elsewhere(two: Toy) -> None:
    told: list[str] = []
    testbed = up(made(told))
    try:
        two.power_off("node2", told=False)
        timer = threading.Timer(1.0, two.not_ready, ("node2",))
        timer.start()  # until then pods are given to it
        assert len(testbed.begin(ServiceSpec("rr", (1, 1))).servers) == 2
        timer.join()
    finally:
        testbed.close()
    assert any("which is not there" in one and "another one is made" in one for one in told)


def test_a_scheduler_that_does_not_know_is_not_fed_for_ever(
    two: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apiserver, "ready", lambda node: True)
    monkeypatch.setattr(server_pods, "_REPLACED", 2)
    testbed = up(made())
    try:
        two.power_off("node2")
        with pytest.raises(TestbedError, match=f"again and again: pod .* on node node2.*{SILENT}"):
            testbed.begin(ServiceSpec("rr", (1, 1)))
    finally:
        testbed.close()


def test_a_real_server_that_is_lost_ends_the_run(two: Toy) -> None:
    testbed = up(made())
    try:
        testbed.begin(ServiceSpec("rr", (1, 1)))
        two.power_off("node2")
        with two.cluster.lock:
            for key, pod in two.cluster.objects.items():
                if key[0] == "pods" and pod["spec"]["nodeName"] == "node2":
                    pod["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
        with pytest.raises(TestbedError, match=f"a real server is lost: .*node2.*: {SILENT}"):
            testbed.add_server(1)
    finally:
        testbed.close()


def test_who_may_not_remove_a_pod_is_told_how(two: Toy) -> None:
    killed_after(two, 12)
    two.power_off("node2")

    def fault(method: str, path: str) -> Refusal | None:
        hit = method == "DELETE" and path.startswith("/api/v1/namespaces/ipvsload/pods/")
        return Refusal(403, "pods is forbidden") if hit else None

    two.cluster.fault = fault
    (left,) = restore.restore(connect(), lambda _: None)
    assert "namespace ipvsload goes when node node2 is back, or with: kubectl -n ipvsload" in left
    with pytest.raises(TestbedError, match="--force --grace-period=0"):
        up(made())


def test_the_doctor_does_not_wait_for_it(two: Toy) -> None:
    before = two.cluster.picture().keys()
    two.power_off("node2")
    found = {one.what: one for one in examine(connect(), lambda _: None)}
    assert found["node node2"] == ("node node2", True, f"{SILENT}; runs leave it out")
    assert "Linux" in found["node node1"].text
    assert two.cluster.picture().keys() == before


def test_a_cordoned_node_is_told(two: Toy) -> None:
    two.cluster.objects["nodes", "", "node1"]["spec"] = {"unschedulable": True}
    told: list[str] = []
    assert examine_cluster(ClusterOptions(), told.append).entry == "node2"
    assert "node node1 is cordoned: it is watched, and takes no new real servers" in told


def test_a_cordoned_node_takes_the_load_last() -> None:
    def node(name: str, *, cordoned: bool, control: bool = False) -> Object:
        labels = {"node-role.kubernetes.io/control-plane": ""} if control else {}
        return {"metadata": {"name": name, "labels": labels}, "spec": {"unschedulable": cordoned}}

    able = [node("a", cordoned=True), node("b", cordoned=False, control=True)]
    assert node_objects.choose(able, "")["metadata"]["name"] == "b"
    assert node_objects.choose(able[:1], "")["metadata"]["name"] == "a"
