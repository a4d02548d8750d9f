"""Where kube-proxy's configuration is: any name and key, or none that can be changed."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ipvsload.errors import TestbedError
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.kubernetes import journal
from ipvsload.testbed.kubernetes.proxy_daemon_set import (
    KUBEADM,
    ConfigPlace,
    proxies_among,
    read_daemon_set,
)
from tests.kubernetes.cluster_objects import CONFIG, proxy_daemon_set
from tests.kubernetes.test_restore import killed_after, put_back
from tests.kubernetes.test_testbed import made, up
from tests.kubernetes.toy import Toy

HASHED = ConfigPlace("kube-proxy-config-1a2b3c4d", "config.yaml")
# As the Gardener chart renders it: another name, another key, and nobody may change it.
GARDENER = """\
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection:
  kubeconfig: /var/lib/kube-proxy-kubeconfig/kubeconfig
metricsBindAddress: 0.0.0.0:10249
mode: IPVS
conntrack:
  maxPerCore: 524288"""


def config_map(place: ConfigPlace, text: str, **more: Any) -> dict[str, Any]:
    meta = {"name": place.name, "namespace": "kube-system"}
    return {"metadata": meta, "data": {place.key: text, "other": "mode: x"}, **more}


def daemon_set(
    *command: str, volume: dict[str, Any] | None = None, mount: dict[str, Any] | None = None
) -> dict[str, Any]:
    """As kubeadm's, with another command line and another volume."""
    made = proxy_daemon_set("registry.example:5000/mirror/kube-proxy:v1.33.1@sha256:aa")
    spec = made["spec"]["template"]["spec"]
    spec["containers"][0]["command"] = ["kube-proxy", *command]
    spec["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/etc/p", **(mount or {})}]
    spec["volumes"] = [{"name": "v", **(volume or {})}]
    return made


EKS = daemon_set(
    "--v=2", "--config=/etc/p/config", volume={"configMap": {"name": "kube-proxy-config"}}
)


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (proxy_daemon_set(), KUBEADM),
        (EKS, ConfigPlace("kube-proxy-config", "config")),
        (
            daemon_set(
                "--config", "/etc/p/sub/c.yaml",
                volume={"configMap": {"name": "c", "items": [{"key": "k", "path": "sub/c.yaml"}]}},
            ),
            ConfigPlace("c", "k"),
        ),
        (
            daemon_set(
                "--masquerade-all", "--config=/etc/p/c", "--profiling",
                volume={"configMap": {"name": "k"}},
            ),
            ConfigPlace("k", "c"),
        ),
        (
            daemon_set(
                "--config=/etc/p",
                volume={"configMap": {"name": "c"}}, mount={"subPath": "config.yaml"},
            ),
            ConfigPlace("c", "config.yaml"),
        ),
        (
            daemon_set(
                "--config=/etc/p/c",
                volume={"projected": {"sources": [
                    {"secret": {"name": "s"}},
                    {"configMap": {"name": "a", "items": [{"key": "x", "path": "y"}]}},
                    {"configMap": {"name": "b", "items": [{"key": "k", "path": "c"}]}},
                ]}},
            ),
            ConfigPlace("b", "k"),
        ),
    ],
)  # fmt: skip
def test_the_volume_leads_to_it(found: dict[str, Any], place: ConfigPlace) -> None:
    assert read_daemon_set(found).places == (place,)
    assert read_daemon_set(found).fixed == ""


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (daemon_set("--proxy-mode=ipvs", "--ipvs-scheduler", "lc"), "--proxy-mode=ipvs --ipvs-sch"),
        (daemon_set("--profiling", "--proxy-mode=ipvs"), "--proxy-mode=ipvs"),
        (daemon_set("--v=2"), "none of its mode"),
        (
            daemon_set("--config=/etc/p/c", volume={"hostPath": {"path": "/etc/kubernetes"}}),
            "a file on each node (/etc/kubernetes/c)",
        ),
        (daemon_set("--config=/etc/p/c", volume={"emptyDir": {}}), "volume of kind emptyDir"),
        (daemon_set("--config=/c"), "a file of its image"),
    ],
)
def test_why_there_is_none(found: dict[str, Any], words: str) -> None:
    assert read_daemon_set(found).places == ()
    assert words in read_daemon_set(found).fixed


def test_a_command_line_for_a_shell() -> None:
    found = daemon_set(volume={"configMap": {"name": "c"}})
    container = found["spec"]["template"]["spec"]["containers"][0]
    container["command"] = ["sh", "-c", "exec kube-proxy --v=2 --config='/etc/p/c' 2>&1"]
    assert read_daemon_set(found).places == (ConfigPlace("c", "c"),)


def test_it_is_found_by_label_image_or_command_and_beside_other_containers() -> None:
    by_image = copy.deepcopy(EKS)
    by_image["metadata"] = {"name": "network"}
    by_image["spec"]["selector"]["matchLabels"] = {"role": "proxy", "pool": "a"}
    containers = by_image["spec"]["template"]["spec"]["containers"]
    containers.insert(0, {"name": "helper", "image": "example/kube-proxy-helper:v9"})
    by_label = copy.deepcopy(EKS)
    by_label["metadata"]["name"] = "network"
    by_label["spec"]["template"]["spec"]["containers"][0].update(image="x/y:1", command=["/run"])
    by_command = copy.deepcopy(EKS)
    by_command["metadata"] = {"name": "network"}
    by_command["spec"]["template"]["spec"]["containers"][0]["image"] = "hyperkube:v1"
    other = copy.deepcopy(by_command)
    other["spec"]["template"]["spec"]["containers"][0]["command"] = ["calico", "--kube-proxy"]
    found = proxies_among([other, by_image, by_label, by_command])
    place = ConfigPlace("kube-proxy-config", "config")
    assert [one.places for one in found] == [(place,), (), (place,)]
    assert found[0].labels == "role=proxy,pool=a"
    assert found[0].version == "v1.33.1"


@pytest.fixture
def elsewhere(toy_of: type[Toy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """A cluster that has not started yet; its kubeconfig is the environment's."""
    toy = toy_of(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(toy.kubeconfig))
    return toy


def hashed(labels: dict[str, str]) -> dict[str, Any]:
    found = daemon_set("--config=/etc/p/config.yaml", volume={"configMap": {"name": HASHED.name}})
    found["metadata"] = {"name": "kube-proxy-pool-a", "labels": labels}
    found["spec"]["selector"]["matchLabels"] = labels
    found["spec"]["template"]["metadata"]["labels"] = labels
    return found


def test_another_name_and_key_and_other_labels(elsewhere: Toy) -> None:
    """From nothing to nothing, and put back after a SIGKILL, with the journal's name and key."""
    text = CONFIG.format(kubeconfig="/none", mode="iptables")
    elsewhere.reconfigure(HASHED, config_map(HASHED, text), hashed({"role": "proxy"}))
    # One of the usual name is left over from an earlier time.
    elsewhere.cluster.put("configmaps", "kube-system", config_map(KUBEADM, "mode: no more"))
    with elsewhere as toy:
        before = toy.cluster.picture()
        told: list[str] = []
        testbed = up(made(told))
        assert testbed.begin(ServiceSpec("lc", (1,))).balancer == "lc"
        testbed.close()
        assert toy.cluster.picture() == before
        assert "kube-proxy is configured for iptables" in told
        killed_after(toy, 18)
        assert toy.config != text
        held = toy.cluster.objects["configmaps", "ipvsload", "ipvsload-journal"]["data"]
        assert (held["config_map"], held["config_key"]) == HASHED
        put_back()
        assert toy.cluster.picture() == before
        assert toy.proxy.mode == "iptables"


def test_one_that_is_immutable(elsewhere: Toy) -> None:
    found = config_map(HASHED, GARDENER, immutable=True)
    elsewhere.reconfigure(HASHED, found, hashed({"role": "proxy"}))
    testbed = made()
    testbed.start()
    assert (
        "kube-proxy-config-1a2b3c4d (key config.yaml) in kube-system is immutable"
        in (testbed.lacks["scheduler"])
    )
    assert "a new ConfigMap under another name" in testbed.lacks["scheduler"]
    elsewhere.cluster.close()


def test_pools_of_nodes_with_one_configuration_or_several(elsewhere: Toy) -> None:
    text = CONFIG.format(kubeconfig="/none", mode="iptables")
    elsewhere.reconfigure(HASHED, config_map(HASHED, text), hashed({"pool": "a"}))
    second = hashed({"pool": "b"})
    second["metadata"]["name"] = "kube-proxy-pool-b"
    elsewhere.cluster.put("daemonsets", "kube-system", second)
    testbed = made()
    testbed.start()
    assert "scheduler" not in testbed.lacks
    second["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"] = "another"
    elsewhere.cluster.put("daemonsets", "kube-system", second)
    testbed = made()
    testbed.start()
    assert "kube-proxy-pool-a, kube-proxy-pool-b" in testbed.lacks["scheduler"]
    elsewhere.cluster.close()


def test_the_right_for_another_name_is_named(elsewhere: Toy) -> None:
    text = CONFIG.format(kubeconfig="/none", mode="iptables")
    elsewhere.reconfigure(HASHED, config_map(HASHED, text), hashed({"pool": "a"}))
    elsewhere.cluster.allowed = lambda asked: asked["verb"] != "update"
    with pytest.raises(TestbedError, match=f"update configmaps {HASHED.name} in kube-system"):
        made().start()
    elsewhere.cluster.close()


def test_a_run_for_a_scheduler_where_it_cannot_be_switched(elsewhere: Toy) -> None:
    """It is told at once by the reason, and what there is can be measured."""
    text = CONFIG.format(kubeconfig="/none", mode="ipvs").replace('scheduler: ""', "scheduler: lc")
    found = config_map(HASHED, text, immutable=True)
    elsewhere.reconfigure(HASHED, found, hashed({"pool": "a"}))
    with elsewhere as toy:
        before = toy.cluster.picture()
        testbed = up(made())
        assert testbed.begin(ServiceSpec("lc", (1,))).balancer == "lc"
        testbed.end()
        with pytest.raises(TestbedError, match=r"balances by lc, .*cannot be switched.*immutable"):
            testbed.begin(ServiceSpec("rr", (1,)))
        testbed.close()
        testbed = up(made())
        with pytest.raises(TestbedError, match=r"runs ipvs, .*cannot be switched"):
            testbed.begin(ServiceSpec("iptables", (1,)))
        testbed.close()
        assert toy.cluster.picture() == before


def test_a_journal_without_a_place_means_the_usual_one() -> None:
    old = {
        "version": "1", "id": "a", "user": "u", "host": "h", "pid": "1", "started": "2",
        "switches": json.dumps([["ipvs", "lc"]]), "original": "text",
    }  # fmt: skip
    assert journal.parse(old).place == KUBEADM
    kept = journal.with_switch(journal.new_journal(), HASHED, "text", "ipvs", "lc")
    assert journal.parse(kept.data()) == kept
    assert kept.place == HASHED
