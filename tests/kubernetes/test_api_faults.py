"""An API server that is away, in a hurry, forbidding, or edited by somebody else meanwhile."""

import json
import time

import pytest

from ipvsload.errors import TestbedError
from ipvsload.testbed.base import ServiceSpec
from tests.kubernetes.apiserver import Refusal
from tests.kubernetes.test_testbed import made, up
from tests.kubernetes.toy import Toy


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
