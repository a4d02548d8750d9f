"""What people are told when a proxy or a workload does not come up: the cluster's own words."""

import pytest

from ipvsload.errors import TestbedError
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.kubernetes import node_tables, pods
from ipvsload.testbed.kubernetes.proxies import _last_words
from tests.kubernetes.kubelet import Crash, Kubelet, Log
from tests.kubernetes.test_testbed import made, pods_of_first_run, up
from tests.kubernetes.toy import Toy

# cmd/kube-proxy/app/server.go of 1.33, run where there is no ip_vs.
LAST_WORDS = """\
I1125 10:00:00.000000       1 server_linux.go:63] "Using ipvs proxier"
E1125 10:00:00.100000       1 run.go:72] "command failed" err="no such device"
"""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (LAST_WORDS, 'CrashLoopBackOff.*"command failed" err="no such device'),
        (
            "panic: no table\n\ngoroutine 1\n",
            "kube-proxy does not stay up: CrashLoopBackOff.*panic: no table",
        ),
        (
            "E1125 10:00:00.0       1 server.go:1] can't use ipvs proxier: no ip_vs_lc\n",
            "does not stay up: can't use ipvs proxier: no ip_vs_lc",
        ),
    ],
)
def test_a_proxy_that_exits_after_the_switch(toy: Toy, words: str, told: str) -> None:
    before, text = toy.cluster.picture(), toy.config
    toy.crashes["ipvs"] = words
    testbed = up(made())
    with pytest.raises(TestbedError, match=told):
        testbed.begin(ServiceSpec("rr", (1,)))
    testbed.close()
    assert toy.config == text
    assert toy.cluster.picture() == before
    assert toy.proxy.mode == "iptables"


def test_a_proxy_that_exits_later(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ran when it was looked at, and ends before the table is there."""
    monkeypatch.setattr(node_tables, "_DIAGNOSE_AFTER", 1.0)
    before = toy.cluster.picture()
    testbed = up(made())
    testbed.begin(ServiceSpec("rr", (1,)))
    (pod,) = [k for k in toy.cluster.objects if k[0] == "pods" and k[1] == "kube-system"]
    uid = toy.cluster.objects[pod]["metadata"]["uid"]
    toy.kubelets[0]._programs.pop(uid).stop()
    toy.kubelets[0]._programs[uid] = Crash(LAST_WORDS)
    with pytest.raises(TestbedError, match=r"node1 does not stay up: .*no such device"):
        testbed.add_server(1)
    testbed.close()
    assert toy.cluster.picture() == before


def test_an_unschedulable_pod(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    testbed = up(made())
    monkeypatch.setattr(pods, "READY_WITHIN", 2.0)
    words = "0/1 nodes are available: 1 Insufficient cpu."
    status: dict[str, object] = {
        "phase": "Pending",
        "conditions": [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": words,
            }
        ],
    }
    monkeypatch.setattr(toy.kubelets[0], "_tell", lambda pod, _: pod_status(toy, pod, status))
    with pytest.raises(TestbedError, match=f"Unschedulable: {words}"):
        testbed.begin(ServiceSpec("rr", (1,)))
    testbed.close()


def test_the_events_own_words(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the pods' status says nothing: of a pod, and of a Deployment without pods."""
    testbed = up(made())
    monkeypatch.setattr(pods, "READY_WITHIN", 1.0)
    toy.kubelets[0]._ready_after = 3600
    with pytest.raises(TestbedError):
        testbed.begin(ServiceSpec("rr", (1,)))
    (key,) = [k for k in toy.cluster.objects if k[0] == "pods" and "servers" in k[2]]
    event(toy, key[2], "MountVolume.SetUp failed for volume")
    with pytest.raises(TestbedError, match=r"MountVolume\.SetUp failed"):
        pods_of_first_run().wait_ready(1)
    del toy.cluster.objects[key]
    event(toy, "ipvsload-servers-1-6c9f", "pods is forbidden: exceeded quota: small")
    with pytest.raises(TestbedError, match=r"ipvsload-servers-1-6c9f: .*exceeded quota: small"):
        pods_of_first_run().wait_ready(1)
    testbed.close()


def test_a_workload_that_crashes_on(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    before = toy.cluster.picture()
    testbed = up(made())
    run = Kubelet._run

    def crash(self: Kubelet, pod: dict[str, object]) -> None:
        meta = pod["metadata"]
        assert isinstance(meta, dict)
        if "servers" in meta["name"]:
            log = self.logs.setdefault((meta["namespace"], meta["name"]), Log())
            self._tell_crash(pod, Crash("cannot bind to port 80\n"), log)
        else:
            run(self, pod)

    monkeypatch.setattr(Kubelet, "_run", crash)
    with pytest.raises(
        TestbedError, match=r"real servers do not stay up: .*CrashLoopBackOff.*cannot bind to port"
    ):
        testbed.begin(ServiceSpec("rr", (1,)))
    testbed.close()
    assert toy.cluster.picture() == before


def test_the_last_words_of_a_log() -> None:
    assert _last_words(LAST_WORDS).startswith('"command failed" err=')
    assert _last_words("one\ntwo\n\n") == "two"
    assert _last_words("") == ""


def test_sidecars_that_are_refused(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """An admission lets the DaemonSet stand and none of its pods."""
    before = toy.cluster.picture()
    monkeypatch.setattr(pods, "READY_WITHIN", 1.0)
    monkeypatch.setattr(pods, "present", lambda *_: [])
    testbed = made()
    testbed.start()
    words = "pods is forbidden: violates PodSecurity"
    event(toy, "ipvsload-sidecar", words)
    with pytest.raises(TestbedError, match=words):
        testbed.wait_ready()
    testbed.close()
    toy.cluster.objects.pop(("events", "ipvsload", "ipvsload-sidecar.1"), None)
    assert toy.cluster.picture() == before


def event(toy: Toy, name: str, message: str) -> None:
    body = {
        "metadata": {"name": f"{name}.1"},
        "involvedObject": {"name": name},
        "type": "Warning",
        "message": message,
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    toy.cluster.put("events", "ipvsload", body)


def pod_status(toy: Toy, pod: dict[str, object], status: dict[str, object]) -> None:
    meta = pod["metadata"]
    assert isinstance(meta, dict)
    with toy.cluster.lock:
        toy.cluster.objects["pods", meta["namespace"], meta["name"]]["status"].update(status)
