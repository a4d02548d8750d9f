"""`ipvsload doctor --testbed kubernetes`, and the words that it has for what it finds."""

import subprocess
import sys
from typing import Any

import pytest

from ipvsload.ipvs.kernel_modules import module_states
from ipvsload.testbed.kubernetes import cluster_doctor, cluster_findings
from ipvsload.testbed.kubernetes.kubeconfig import connect
from ipvsload.testbed.kubernetes.proxies import read_log
from ipvsload.testbed.kubernetes.proxy_config import edit
from tests.kubernetes.toy import Toy
from tests.patience import HUNG_AFTER_S


def doctor() -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ipvsload", "doctor", "--testbed", "kubernetes"]
    return subprocess.run(command, capture_output=True, text=True, timeout=HUNG_AFTER_S)


def test_doctor_looks_at_everything_and_leaves_nothing(toy: Toy) -> None:
    before = toy.cluster.picture()
    done = doctor()
    assert "Traceback" not in done.stdout + done.stderr
    assert "context test" in done.stderr.splitlines()[0]
    for words in (
        "ok      kube-proxy: configured for iptables in ConfigMap kube-proxy (key config.conf)",
        "falls back to iptables silently",
        "ok      node node1: Linux",
    ):
        assert words in done.stdout, done.stdout + done.stderr
    assert toy.cluster.picture() == before


def test_rights_that_are_missing_are_named_one_by_one(toy: Toy) -> None:
    before = toy.cluster.picture()
    toy.cluster.allowed = lambda attributes: attributes["verb"] not in ("update", "patch")
    done = doctor()
    assert done.returncode == 3
    assert "MISSING right: update configmaps kube-proxy in kube-system" in done.stdout
    assert "MISSING right: patch pods in ipvsload" in done.stdout
    assert toy.cluster.picture() == before


def test_a_configuration_that_is_not_understood_is_in_the_way(toy: Toy) -> None:
    toy.config_map["data"]["config.conf"] = "a: ["
    before = toy.cluster.picture()
    done = doctor()
    assert done.returncode == 3
    assert "MISSING kube-proxy: ConfigMap kube-proxy (key config.conf) in kube-" in done.stdout
    assert "MISSING kubernetes: what is missing above is in the way of a run" in done.stdout
    assert toy.cluster.picture() == before


def test_one_that_is_managed_is_told_and_not_in_the_way(toy: Toy) -> None:
    toy.config_map["immutable"] = True
    done = doctor()
    assert done.returncode == 0, done.stdout
    assert "switching: kube-proxy cannot be switched from here: ConfigMap kube-proxy" in done.stdout
    assert "ok      kubernetes: a run can be had" in done.stdout


def test_the_nodes_own_words(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's own version, and an edit without a restart."""
    fact: dict[str, Any] = {
        "kernel": "6.1", "modules": {}, "kube_ipvs0": True, "table": True,
        "virtual_servers": 3, "schedulers": ["rr"],
        "proxy_mode": "ipvs", "proxy_version": "v1.35.0+ours",
    }  # fmt: skip
    monkeypatch.setattr(cluster_doctor, "_look_at_nodes", lambda *_: {"node1": fact})
    toy.config_map["data"]["config.conf"] = edit(toy.config, "ipvs", "")

    def found() -> dict[str, tuple[bool, str]]:
        return {one.what: (one.good, one.text) for one in cluster_doctor.examine(connect(), print)}

    seen = found()
    assert seen["node node1"][1] == (
        "Linux 6.1, an IPVS table with 3 virtual servers by rr, kube-ipvs0 is there"
    )
    assert seen["kube-proxy on node1"] == (True, "is v1.35.0+ours and runs ipvs")
    assert "deprecated" in seen["kube-proxy v1.35.0+ours"][1]
    assert "scheduler on node1" not in seen
    toy.config_map["data"]["config.conf"] = edit(toy.config, "ipvs", "lc")
    good, text = found()["scheduler on node1"]
    assert not good
    assert "the kernel balances by rr, lc is configured: it has not been restarted" in text
    fact["proxy_mode"] = "iptables"
    good, text = found()["kube-proxy on node1"]
    assert not good
    assert "runs iptables, but is configured for ipvs, scheduler lc" in text


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("v1.20.2", "silently"),
        ("v1.33.1", "ends with an error"),
        ("v1.35.0", "deprecated"),
        ("v1.41.0", "switched off"),
        ("v1.43.0", "no IPVS mode"),
        ("", "not known"),
    ],
)
def test_what_a_version_means(version: str, words: str) -> None:
    assert words in cluster_findings.of_version(version)


def test_where_a_module_is() -> None:
    found = module_states(
        ["ip_vs", "ip_vs_lc", "dummy", "ip_vs_mh"],
        "ip_vs 1 0 - Live 0x0\n",
        "kernel/drivers/net/dummy.ko\n",
        "kernel/net/netfilter/ipvs/ip_vs_lc.ko.xz: kernel/net/netfilter/ipvs/ip_vs.ko.xz\n",
    )
    assert found == {
        "ip_vs": "loaded",
        "ip_vs_lc": "loadable",
        "dummy": "built in",
        "ip_vs_mh": "absent",
    }
    assert module_states(["ip_vs"], "", "", "") == {"ip_vs": "unknown"}
    assert cluster_findings.missing_modules(found, ["lc", "mh"]) == [
        ("ip_vs_mh", "absent"),
        ("ip_vs_lc", "loadable"),
    ]
    assert "--iso-url" in cluster_findings.mend("ip_vs_mh", "absent", {"minikube.k8s.io/name": "x"})


REAL_1_20 = """\
E1125 03:21:40.1     1 server_others.go:127] Can't use the IPVS proxier: IPVS proxier will not be \
used because the following required kernel modules are not loaded: [ip_vs_sed]
I1125 03:21:40.2     1 server_others.go:182] DetectLocalMode: 'ClusterCIDR'
W1125 03:21:40.3     1 server_others.go:300] Can't use ipvs proxier, trying iptables proxier
I1125 03:21:40.4     1 server_others.go:185] Using iptables Proxier.
"""


def test_what_a_proxys_log_says() -> None:
    reason = read_log(REAL_1_20)
    assert reason.fallback
    assert reason.why.endswith("[ip_vs_sed]")
    assert read_log("I1125 03:21:40.4     1 server_others.go:185] Using ipvs Proxier.\n").why == ""
