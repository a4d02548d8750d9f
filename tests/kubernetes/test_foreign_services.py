"""Virtual servers of others: none is lost without a word, and what is deleted is put back."""

import time
from typing import Any

import pytest

from ipvsload.errors import TestbedError
from ipvsload.ipvs.saved_services import SavedServer, SavedService
from ipvsload.scenario import balancers
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.kubernetes import proxies
from ipvsload.testbed.kubernetes.foreign_findings import foreign_findings
from ipvsload.testbed.kubernetes.foreign_services import by_hand, deleted_by, explain
from ipvsload.testbed.kubernetes.kubeconfig import connect
from tests.kubernetes.foreign_table import MARKED, THEIRS
from tests.kubernetes.test_testbed import made, up
from tests.kubernetes.toy import Toy

ALLOWED: dict[str, Any] = {"allow_deleting_virtual_servers": True}


def session(*balancers: str, told: list[str] | None = None, **options: Any) -> None:
    testbed = up(made(told, **options))
    try:
        for balancer in balancers:
            testbed.begin(ServiceSpec(balancer, (1,)))
            testbed.end()
    finally:
        testbed.close()


def test_a_run_that_would_delete_them_is_refused_with_node_and_names(two: Toy) -> None:
    two.proxies["node2"].foreign.add(THEIRS)
    before = two.cluster.picture()
    words = r"on node node2 tcp 203\.0\.113\.9:6443 \(wlc, 2 servers\).*excludeCIDRs.*--allow-"
    with pytest.raises(TestbedError, match=words):
        session("rr")
    assert two.cluster.picture() == before
    assert two.proxies["node2"].foreign.read() == [THEIRS]


def test_they_are_put_back_with_all_that_was_set(two: Toy) -> None:
    two.proxies["node1"].foreign.add(THEIRS, MARKED)
    two.proxies["node2"].foreign.add(THEIRS)
    before = two.cluster.picture()
    told: list[str] = []
    session("rr", "lc", told=told, **ALLOWED)
    assert two.cluster.picture() == before
    for node in ("node1", "node2"):
        assert THEIRS in two.proxies[node].foreign.read()
    assert any("kept in the journal" in line and "node2" in line for line in told)


def test_what_kube_proxy_spares_is_no_reason_to_refuse(two: Toy) -> None:
    excluded = two.config.replace("excludeCIDRs: null", "excludeCIDRs: [203.0.113.0/24]")
    two.config_map["data"]["config.conf"] = excluded
    two.cluster.put("configmaps", "kube-system", two.config_map)
    two.proxy.foreign.add(THEIRS, MARKED)  # kube-proxy does not find a mark's to delete it
    session("rr", "iptables")
    assert two.proxy.foreign.read() == [THEIRS, MARKED]


def test_nftables_empties_the_table_of_what_is_excluded_too(two: Toy) -> None:
    excluded = two.config.replace("excludeCIDRs: null", "excludeCIDRs: [203.0.113.0/24]")
    two.config_map["data"]["config.conf"] = excluded
    two.cluster.put("configmaps", "kube-system", two.config_map)
    two.proxy.foreign.add(THEIRS, MARKED)
    with pytest.raises(TestbedError, match=r"mode nftables deletes .*fwmark 7"):
        session("nftables")
    assert two.proxy.foreign.read() == [THEIRS, MARKED]
    session("nftables", "rr", **ALLOWED)
    assert two.proxy.foreign.read() == [THEIRS, MARKED]


def test_a_way_back_that_empties_the_table_counts(two: Toy) -> None:
    text = two.config.replace('mode: "iptables"', "mode: nftables")
    two.config_map["data"]["config.conf"] = text
    two.cluster.put("configmaps", "kube-system", two.config_map)
    proxies.restart(connect(), lambda _: None)
    while any(proxy.mode != "nftables" for proxy in two.proxies.values()):
        time.sleep(0.05)
    two.proxy.foreign.add(THEIRS)
    session("nftables")  # it runs so already: nothing is restarted
    with pytest.raises(TestbedError, match="in mode nftables deletes"):
        session("iptables")
    session("iptables", **ALLOWED)
    assert two.proxy.foreign.read() == [THEIRS]


def test_services_explain_kube_proxys_leftovers(two: Toy) -> None:
    spec = {
        "type": "NodePort",
        "clusterIP": "10.96.0.1",
        "externalIPs": ["203.0.113.9"],
        "selector": {"is": "elsewhere"},
        "ports": [{"port": 6443, "targetPort": 6443, "nodePort": 31000}],
    }
    two.cluster.put("services", "shop", {"metadata": {"name": "web"}, "spec": spec})
    leftover = THEIRS._replace(key=f"tcp {two.addresses['node1']}:31000")
    two.proxy.foreign.add(THEIRS, leftover)
    session("rr")


def test_where_nothing_can_be_written_a_person_gets_the_text(two: Toy) -> None:
    two.proxy.foreign.add(THEIRS._replace(complete=False))  # as a sidecar without rights reads it
    with pytest.raises(TestbedError) as caught:
        session("rr", rootless=True, **ALLOWED)
    assert "on node node1 are not put back: without NET_ADMIN" in str(caught.value)
    assert "-a -t 203.0.113.9:6443 -r 198.51.100.21:6443 -m -w 7\n" in str(caught.value)
    assert ("namespaces", "", "ipvsload") not in two.cluster.objects


def test_somebodys_switch_to_ipvs_is_not_worked_against(two: Toy) -> None:
    two.proxy.foreign.add(THEIRS)
    testbed = up(made(**ALLOWED))
    testbed.begin(ServiceSpec("rr", (1,)))
    testbed.end()
    theirs = two.config + "featureGates: {Theirs: true}\n"
    theirs = theirs.replace("scheduler: rr", "scheduler: sh")
    two.config_map["data"]["config.conf"] = theirs
    two.cluster.put("configmaps", "kube-system", two.config_map)
    with pytest.raises(TestbedError, match="something of their own") as caught:
        testbed.close()
    assert "now configured for the IPVS mode" in str(caught.value)
    assert "-A -t 203.0.113.9:6443 -s wlc -p 600\n" in str(caught.value)


def test_what_explains_a_virtual_server() -> None:
    service: dict[str, Any] = {
        "metadata": {"name": "web"},
        "spec": {
            "clusterIPs": ["10.96.0.7", "fd00:0:0::7"],
            "externalIPs": ["203.0.113.9"],
            "ports": [{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}, {"hostname": "lb"}]}},
    }
    known = explain([service])
    mine = {"10.0.0.5", "fd00::5"}
    for key in ("tcp 10.96.0.7:80", "tcp [fd00::7]:80", "udp 203.0.113.9:53", "tcp 192.0.2.9:80",
                "tcp 10.0.0.5:30080", "tcp [fd00::5]:30080"):  # fmt: skip
        assert known.covers(key, mine), key
    for key in ("udp 10.96.0.7:80", "tcp 10.0.0.6:30080", "udp 10.0.0.5:30080", "fwmark 7",
                "tcp 203.0.113.10:80"):  # fmt: skip
        assert not known.covers(key, mine), key
    other = {"service.kubernetes.io/service-proxy-name": "lb"}
    service["metadata"]["labels"] = other
    assert not explain([service]).covers("tcp 10.96.0.7:80", mine)
    assert explain([{"metadata": {}, "spec": {"clusterIP": "None"}}]).keys == frozenset()


def test_what_each_mode_deletes() -> None:
    key, mark = "tcp [2001:db8::9]:443", "fwmark 7 v6"
    found = {
        name: (
            deleted_by(balancers.find(name), key, []),
            deleted_by(balancers.find(name), key, ["2001:db8::/32"]),
            deleted_by(balancers.find(name), key, ["rubbish", "203.0.113.0/24"]),
            deleted_by(balancers.find(name), mark, []),
        )
        for name in ("rr", "iptables", "nftables")
    }
    assert found == {
        "rr": (True, False, True, False),
        "iptables": (False,) * 4,
        "nftables": (True,) * 4,
    }


def test_the_text_says_what_proc_does_not_tell() -> None:
    services = [SavedService("fwmark 7", "rr", servers=(SavedServer("192.0.2.1:0", 3, 1),))]
    assert "no thresholds" not in by_hand("n", services, "why")
    assert "no thresholds" in by_hand("n", [services[0]._replace(complete=False)], "why")


def test_the_doctor_says_it_beforehand() -> None:
    told = {"others": [THEIRS.to_json(), MARKED.to_json()], "addresses": ["10.0.0.5"]}
    facts = {"node1": {"proxy_mode": "iptables", **told}, "node2": {"proxy_mode": "ipvs", **told}}
    found = list(foreign_findings(facts, [], []))
    assert [(one.what, one.good) for one in found] == [
        ("virtual servers on node1", False),
        ("virtual servers on node1", True),  # in the way of nftables only
        ("virtual servers on node2", True),
    ]
    ipvs, nftables, from_ipvs = (one.text for one in found)
    assert "mode ipvs deletes tcp 203.0.113.9:6443 (wlc, 2 servers), which no Service" in ipvs
    assert "mode nftables deletes tcp 203.0.113.9:6443 (wlc, 2 servers), fwmark 7" in nftables
    assert from_ipvs == nftables
    assert not list(foreign_findings({"n": {"proxy_mode": "", "others": []}}, [], []))
