"""The testbed against an API over real HTTP, also when that goes wrong."""

import json
import time

import pytest

from ipvsload.errors import TestbedError, UsageError
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.kubernetes import node_tables, pods, proxies
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.kubeconfig import connect
from ipvsload.testbed.kubernetes.kubernetes_testbed import KubernetesTestbed
from ipvsload.testbed.kubernetes.manifests import ServerWorkload
from ipvsload.testbed.kubernetes.proxy_config import edit
from ipvsload.testbed.kubernetes.server_pods import ServerPods
from tests.kubernetes.apiserver import Refusal
from tests.kubernetes.toy import Toy


def made(told: list[str] | None = None, **options: object) -> KubernetesTestbed:
    heard = told if told is not None else []
    return KubernetesTestbed(ClusterOptions(**options), hz=20, tell=heard.append)  # type: ignore[arg-type]


def pods_of_first_run() -> ServerPods:
    return ServerPods(connect().api, ServerWorkload(), 1, lambda _: None)


def up(testbed: KubernetesTestbed) -> KubernetesTestbed:
    testbed.start()
    testbed.wait_ready()
    return testbed


def test_a_session_from_nothing_to_nothing(toy: Toy) -> None:
    before = toy.cluster.picture()
    text = toy.config
    testbed = up(made())
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


def test_every_log_line_once_though_the_log_breaks_off(toy: Toy) -> None:
    testbed = up(made())
    try:
        testbed.begin(ServiceSpec("rr", (1,)))
        stream = testbed.open_samples(20)
        numbers: list[int] = []
        rest = b""
        cut = time.monotonic() + 0.5
        end = time.monotonic() + 5
        while time.monotonic() < end:
            *lines, rest = (rest + stream.recv(65536)).split(b"\n")
            numbers += [json.loads(line)["n"] for line in lines if b'"services"' in line]
            if cut and time.monotonic() > cut:
                toy.cluster.away(1.5)
                cut = 0
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert len(numbers) > 40
    finally:
        testbed.close()


def test_an_api_server_that_is_away_is_waited_for(toy: Toy) -> None:
    told: list[str] = []
    testbed = up(made(told))
    try:
        testbed.begin(ServiceSpec("rr", (1,)))
        toy.cluster.away(3)
        assert testbed.add_server(1)
    finally:
        testbed.close()
    assert any("waiting for the API server" in line for line in told)


def test_429_is_asked_again(toy: Toy) -> None:
    before = toy.cluster.picture()
    counts: dict[tuple[str, str], int] = {}

    def fault(method: str, path: str) -> Refusal | None:
        counts[method, path] = counts.get((method, path), 0) + 1
        first = counts[method, path] == 1 and "log" not in path
        return Refusal(429, "slow down", retry_after=0) if first and method != "GET" else None

    toy.cluster.fault = fault
    testbed = up(made())
    try:
        testbed.begin(ServiceSpec("lc", (1,)))
    finally:
        testbed.close()
    assert toy.cluster.picture() == before


def test_answers_that_are_lost_after_the_act(toy: Toy) -> None:
    """Each first write of an object is answered by a proxy's 503 although it was done."""
    before, text = toy.cluster.picture(), toy.config
    seen: set[tuple[str, str]] = set()

    def lose(method: str, path: str) -> None:
        if method in ("POST", "PUT") and (method, path) not in seen:
            seen.add((method, path))
            raise Refusal(503, "the answer was lost")

    testbed = made()
    testbed.start()
    toy.cluster.after = lose
    try:
        testbed.wait_ready()
        assert testbed.begin(ServiceSpec("lc", (1,))).balancer == "lc"
    finally:
        testbed.close()
    assert {method for method, _ in seen} == {"POST", "PUT"}
    assert toy.cluster.picture() == before
    assert toy.config == text


def test_a_missing_right_is_named_and_nothing_is_touched(toy: Toy) -> None:
    before = toy.cluster.picture()
    toy.cluster.allowed = lambda attributes: attributes["verb"] != "update"
    with pytest.raises(TestbedError, match="update configmaps kube-proxy in kube-system"):
        made().start()
    assert toy.cluster.picture() == before
    assert all(method == "GET" or "selfsubject" in path for method, path in toy.cluster.requests)


def test_403_in_the_middle_is_put_back(toy: Toy) -> None:
    before = toy.cluster.picture()
    testbed = up(made())

    def fault(method: str, path: str) -> Refusal | None:
        hit = method == "POST" and path.endswith("deployments")
        return Refusal(403, "deployments.apps is forbidden: quota") if hit else None

    toy.cluster.fault = fault
    with pytest.raises(TestbedError, match="quota"):
        testbed.begin(ServiceSpec("rr", (1,)))
    testbed.close()
    assert toy.cluster.picture() == before


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


def test_a_conflict_in_the_very_moment(toy: Toy) -> None:
    """Between our reading and our writing somebody writes: theirs stays."""
    testbed = up(made())
    done: list[int] = []

    def fault(method: str, path: str) -> Refusal | None:
        if method == "PUT" and not done:
            done.append(1)
            body = toy.config_map
            body["data"]["config.conf"] += "# theirs\n"
            toy.cluster.put("configmaps", "kube-system", body)
        return None

    toy.cluster.fault = fault
    with pytest.raises(TestbedError, match="somebody else is editing"):
        testbed.begin(ServiceSpec("rr", (1,)))
    testbed.close()
    assert toy.config.endswith("# theirs\n")
    assert 'mode: "iptables"  # ours' in toy.config


def test_a_conflict_about_labels_does_not_matter(toy: Toy) -> None:
    testbed = up(made())
    done: list[int] = []

    def fault(method: str, path: str) -> Refusal | None:
        if method == "PUT" and not done:
            done.append(1)
            toy.config_map["metadata"]["labels"]["seen"] = "yes"
            toy.cluster.put("configmaps", "kube-system", toy.config_map)
        return None

    toy.cluster.fault = fault
    testbed.begin(ServiceSpec("rr", (1,)))
    testbed.close()
    assert toy.config_map["metadata"]["labels"]["seen"] == "yes"
    assert 'mode: "iptables"  # ours' in toy.config


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
    proxies.restart(connect().api, lambda _: None)
    deadline = time.monotonic() + 10
    while toy.proxy.mode != "ipvs" and time.monotonic() < deadline:
        time.sleep(0.05)
    held = toy.config_map
    del toy.cluster.objects["configmaps", "kube-system", "kube-proxy"]
    again = up(made())
    try:
        assert "k3s" in again.lacks["scheduler"]
        assert again.begin(ServiceSpec("", (1,))).balancer == "lc"
        with pytest.raises(TestbedError, match="k3s"):
            again.set_balancer("rr")
    finally:
        again.close()
    held["data"]["config.conf"] = edit(held["data"]["config.conf"], "iptables", "lc")
    toy.cluster.put("configmaps", "kube-system", held)
    proxies.restart(connect().api, lambda _: None)
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
        with pytest.raises(TestbedError, match="needs the lab"):
            testbed.kill_server("127.0.1.1:80")
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
