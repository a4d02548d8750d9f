"""A cluster whose Services kube-router balances: nothing of it is changed but our own Service."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipvsload.errors import TestbedError, UsageError
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.kubernetes import cluster_doctor, node_tables
from ipvsload.testbed.kubernetes.found_proxies import find_proxies
from ipvsload.testbed.kubernetes.kube_router import KubeRouter
from ipvsload.testbed.kubernetes.kubeconfig import connect
from ipvsload.testbed.kubernetes.node_lines import NodeState
from ipvsload.testbed.kubernetes.router_daemon_set import (
    TAKES,
    flag_bits,
    flag_words,
    marked_services,
    routers_among,
)
from tests.kubernetes.cluster_objects import proxy_daemon_set, router_daemon_set
from tests.kubernetes.foreign_table import MARKED, THEIRS
from tests.kubernetes.kube_router_sim import RouterToy
from tests.kubernetes.test_testbed import made, up
from tests.kubernetes.toy import Toy

OURS = ("services", "ipvsload", "ipvsload")
DSR: dict[str, Any] = {
    "metadata": {
        "name": "theirs",
        "annotations": {
            "kube-router.io/service.dsr": "tunnel",
            "kube-router.io/service.scheduler": "sh",
        },
    },
    "spec": {
        "type": "LoadBalancer",
        "externalIPs": ["203.0.113.7"],
        "selector": {"app": "theirs"},
        "ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}],
    },
}


@pytest.fixture
def routed(
    toy_of: type[Toy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RouterToy]:
    assert toy_of is Toy  # it makes waits short
    toy = RouterToy(tmp_path, 1, "--excluded-cidrs=198.51.100.0/24")
    with toy:
        monkeypatch.setenv("KUBECONFIG", str(toy.kubeconfig))
        yield toy


def table(toy: Toy) -> dict[str, tuple[str, int]]:
    """Scheduler and flags of each virtual server of the node."""
    found = json.loads(toy.tables["node1"].read_text())["services"]
    return {key: (scheduler, flags) for key, scheduler, _, flags in found}


def test_a_session_by_annotations_of_our_own_service(routed: RouterToy) -> None:
    before = routed.cluster.picture()
    told: list[str] = []
    testbed = up(made(told, scheduler_flags="mh-port,mh-fallback"))
    assert "kube-router v1.5.3 balances on node node1, whose table is read by netlink" in told
    written = len(routed.cluster.requests)
    try:
        for scheduler in TAKES:
            service = testbed.begin(ServiceSpec(scheduler, (1, 1)))
            assert service.balancer == scheduler
            assert len(service.servers) == 2
            flags = 0x18 if scheduler == "mh" else 0
            assert table(routed)[service.target.key] == (scheduler, flags)
            testbed.set_balancer("lc")
            assert table(routed)[service.target.key] == ("lc", 0)
            assert testbed.add_server(1) not in dict(service.servers)
            testbed.remove_server(service.servers[0][0])
            assert testbed.kernel["kube_router"] == "v1.5.3"
            testbed.end()
    finally:
        testbed.close()
    assert routed.cluster.picture() == before
    changed = {
        path
        for method, path in routed.cluster.requests[written:]
        if method != "GET" and "selfsubject" not in path
    }
    assert changed
    assert not [path for path in changed if "/kube-system/" in path]


def test_what_is_asked_for_without_a_wish_is_its_default(routed: RouterToy) -> None:
    testbed = up(made())
    try:
        assert testbed.begin(ServiceSpec("", (1,))).balancer == "rr"
        assert "annotations" not in routed.cluster.objects[OURS]["metadata"]
    finally:
        testbed.close()


@pytest.mark.parametrize(
    ("balancer", "words"),
    [
        ("iptables", "by IPVS and nothing else: iptables can be measured where kube-proxy does"),
        ("nftables", "by IPVS and nothing else"),
        ("sed", "it sets rr, lc, dh, sh, mh only: for any other it takes rr, without a word"),
    ],
)
def test_what_it_cannot_have_is_refused_before_anything(
    routed: RouterToy, balancer: str, words: str
) -> None:
    before = routed.cluster.picture()
    testbed = made(asked=("lc", balancer))
    with pytest.raises(TestbedError, match=f"^{balancer}: kube-router .*{words}"):
        testbed.start()
    testbed.close()
    assert routed.cluster.picture() == before


def test_what_it_cannot_have_in_mid_run(routed: RouterToy) -> None:
    testbed = up(made())
    try:
        assert set(testbed.missing_balancers(["rr", "wlc"])) == {"wlc"}
        with pytest.raises(TestbedError, match="for any other it takes rr"):
            testbed.begin(ServiceSpec("wlc", (1,)))
        testbed.begin(ServiceSpec("rr", (1,)))
        with pytest.raises(TestbedError, match="for any other it takes rr"):
            testbed.set_balancer("nq")
    finally:
        testbed.close()


def test_a_scheduler_that_the_kernel_refuses(
    routed: RouterToy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_tables, "_TABLE_WITHIN", 2.0)
    routed.missing.add("mh")
    before = routed.cluster.picture()
    testbed = up(made())
    try:
        with pytest.raises(
            TestbedError,
            match=r"node node1 still balances by rr; kube-router on node node1 says: Failed to "
            r"create ipvs service .*: Failed to update the scheduler",
        ):
            testbed.begin(ServiceSpec("mh", (1,)))
    finally:
        testbed.close()
    assert routed.cluster.picture() == before


def test_what_it_has_not_taken_out_yet_is_told(
    routed: RouterToy, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = routed.cluster.picture()
    told: list[str] = []
    testbed = up(made(told))
    testbed.begin(ServiceSpec("lc", (1,)))
    monkeypatch.setattr(routed.routers["node1"], "_sync", lambda: None)  # it is busy
    testbed.close()
    assert routed.cluster.picture() == before
    (words,) = [line for line in told if "still in the tables" in line]
    assert words.startswith("virtual servers of the run are still in the tables of node1: what")


def test_services_by_fwmark_beside_ours(routed: RouterToy) -> None:
    theirs = routed.cluster.put("services", "default", DSR)
    keys = list(marked_services([theirs]))
    assert keys == ["fwmark 7877", "fwmark 165"]  # as Go's hash/fnv has it
    testbed = up(made(service="LoadBalancer"))
    try:
        service = testbed.begin(ServiceSpec("lc", (1,)))
        seen = table(routed)
        assert {key: seen[key] for key in keys} == dict.fromkeys(keys, ("sh", 0))
        assert service.target.key in seen
        assert (service.balancer, len(service.servers)) == ("lc", 1)
    finally:
        testbed.close()


def test_the_doctor_says_what_it_is_and_what_it_deletes(
    routed: RouterToy, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = routed.cluster.put("services", "default", DSR)
    address = routed.addresses["node1"]
    port = service["spec"]["ports"][0]["nodePort"]
    theirs = [
        *({"key": key} for key in marked_services([service])),
        {"key": f"tcp {address}:{port}"},
        THEIRS.to_json(),
        MARKED.to_json(),
        {"key": "tcp 198.51.100.9:80"},
    ]
    fact: dict[str, Any] = {
        "kernel": "6.1", "modules": {}, "kube_ipvs0": False, "table": True,
        "virtual_servers": 3, "schedulers": ["rr", "sh"], "proxy_mode": "", "proxy_version": "",
        "others": [MARKED.to_json() | one for one in theirs], "addresses": [address],
    }  # fmt: skip
    monkeypatch.setattr(cluster_doctor, "_look_at_nodes", lambda *_: {"node1": fact})
    found = list(cluster_doctor.examine(connect(), print))
    text = {what: words for what, good, words in found if good}
    assert "a run annotates its own Service for rr, lc, dh, sh, mh" in text["kube-router"]
    assert (
        "at every sync, runs or not (cloudnativelabs/kube-router#770);"
        " those in 198.51.100.0/24 (--excluded-cidrs) stay"
    ) in text["virtual servers of others"]
    at_stake = [words for what, _, words in found if what == "virtual servers on node1"]
    assert at_stake == [
        "no Service explains tcp 198.51.100.9:80 (rr, 1 server): they stay, since"
        " --excluded-cidrs covers them",
        "no Service explains tcp 203.0.113.9:6443 (wlc, 2 servers), fwmark 7 (rr, 1 server):"
        " they go with kube-router's next sync",
    ]
    assert not any("kube-proxy" in what for what, *_ in found)


def test_it_deletes_those_of_others_and_spares_what_is_excluded(routed: RouterToy) -> None:
    spared = THEIRS._replace(key="tcp 198.51.100.9:80")
    router = routed.routers["node1"]
    testbed = up(made())  # not refused: they are gone, whoever runs
    try:
        router.foreign.add(THEIRS, MARKED, spared)
        testbed.begin(ServiceSpec("lc", (1,)))
        assert router.foreign.read() == [spared]
    finally:
        testbed.close()


def test_both_at_once_are_refused(routed: RouterToy) -> None:
    routed.cluster.put("daemonsets", "kube-system", proxy_daemon_set())
    with pytest.raises(TestbedError, match=r"both kube-proxy \(DaemonSet kube-proxy\) and kube-r"):
        made().start()
    nowhere = proxy_daemon_set() | {"status": {"desiredNumberScheduled": 0}}
    routed.cluster.put("daemonsets", "kube-system", nowhere)
    testbed = made()
    testbed.start()
    assert "scheduler" not in testbed.lacks
    testbed.close()


@pytest.mark.parametrize("flags", ["sh-port", "mh-port,nonsense"])
def test_flags_that_it_does_not_set(routed: RouterToy, flags: str) -> None:
    with pytest.raises(UsageError, match=r"kube-router sets the flags of mh only: flag-1, .*mh-"):
        made(scheduler_flags=flags).start()


def test_kube_proxy_sets_no_flags(toy: Toy) -> None:
    with pytest.raises(UsageError, match=r"--scheduler-flags mh-port: kube-proxy sets no flags"):
        made(scheduler_flags="mh-port").start()


def test_flags_are_waited_for_where_they_can_be_seen() -> None:
    (found,) = routers_among([router_daemon_set()])
    router = KubeRouter(found, flags=0x10)
    node = NodeState("node1", "", service={"scheduler": "mh", "flags": 2}, reading="netlink")
    assert router.differs(node) == "mh has the flags none, and not yet mh-port"
    node.service = {"scheduler": "mh", "flags": 0x12}
    assert router.differs(node) == ""
    node.service = {"scheduler": "rr", "flags": 0x12}
    assert router.differs(node) == "rr has the flags flag-2, and not yet none"
    node.reading = "proc"
    assert router.differs(node) == ""


def test_flags_by_either_name() -> None:
    assert flag_bits(" mh-port, flag-1,") == 0x18
    assert flag_words(0x18) == "flag-1,flag-2"
    assert flag_words(0) == ""


@pytest.mark.parametrize(
    ("arguments", "balances"),
    [
        ([], True),
        (["-c", "exec kube-router --run-service-proxy=false --v=2"], False),
        (["--run-service-proxy"], True),
        (["--run-service-proxy=true"], True),
        (["--run-service-proxy=false"], False),
        (["--run-service-proxy=0", "--v=2"], False),
        (["--run-service-proxy", "--v=2"], True),
    ],
)
def test_whether_it_balances(arguments: list[str], balances: bool) -> None:
    assert bool(routers_among([router_daemon_set(*arguments)])) is balances


def test_its_daemon_set_under_another_name() -> None:
    found = router_daemon_set("--excluded-cidrs", "10.0.0.0/8, 192.0.2.0/24", image="v2.6@sha256:1")
    found["metadata"] |= {"name": "network", "labels": {}}
    (router,) = routers_among([proxy_daemon_set(), found])
    assert router.version == "v2.6"
    assert router.labels == "k8s-app=kube-router,tier=node"
    assert router.excluded == ("10.0.0.0/8", "192.0.2.0/24")


def test_one_that_only_routes_leaves_services_to_kube_proxy(toy: Toy) -> None:
    """As in k0s."""
    toy.cluster.put("daemonsets", "kube-system", router_daemon_set("--run-service-proxy=false"))
    found = find_proxies(connect())
    assert found.examine(connect()).program == "kube-proxy"
