"""Locust's command over a cluster: switched, driven, changed by hand, and put back."""

import signal
from pathlib import Path

import pytest

from tests.kubernetes.apiserver import Refusal
from tests.kubernetes.test_modes import SCENARIO
from tests.kubernetes.toy import Toy
from tests.locust_plugin.command import LOCUSTFILES, Command

SKEW, MIXED = LOCUSTFILES / "skew.py", LOCUSTFILES / "mixed.py"
CLUSTER = ("--testbed", "kubernetes")


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(SCENARIO)
    return file


@pytest.mark.long
def test_a_scenario_is_played_by_workers_and_the_cluster_is_put_back(
    toy: Toy, tmp_path: Path, scenario: Path
) -> None:
    before, text = toy.cluster.picture(), toy.config
    words = ("--headless", *CLUSTER, "--scenario", str(scenario), "--processes", "2")
    with Command(tmp_path, SKEW, *words) as command:
        assert command.wait() == 0, command.log
    results = command.results()
    assert results["testbed"] == "kubernetes"
    assert [run["scheduler"] for run in results["runs"]] == ["rr"]
    assert "Kubernetes v1.33.1" in command.log  # what is touched is named
    assert toy.cluster.picture() == before
    assert toy.config == text


@pytest.mark.long
def test_users_who_come_and_go_and_a_scheduler_by_hand(toy: Toy, tmp_path: Path) -> None:
    before, text = toy.cluster.picture(), toy.config
    with Command(tmp_path, MIXED, *CLUSTER) as command:
        command.until("kubernetes is up")
        command.eventually(command.serving)
        assert command.swarm(user_count="4", spawn_rate="4")["success"]
        command.eventually(lambda: command.state() == "running")
        assert toy.config == text  # nobody has asked for a scheduler
        offers = command.frame()["offers"]
        assert (offers["set_scheduler"], offers["scale"]) == ("", "")
        assert "kube-proxy and kube-router give every real server weight 1" in offers["reweigh"]
        assert "need the lab" in offers["kill"]
        status, answer = command.control(do="set_scheduler", scheduler="lc")
        assert status == 200, answer
        assert "scheduler: lc" in toy.config
        status, answer = command.control(do="scale", servers=3)
        assert status == 200, answer
        status, answer = command.control(do="kill", server=1)
        assert status != 200
        assert "need the lab" in answer["error"]
        command.interrupt()
        assert command.wait() == 0, command.log
    assert toy.cluster.picture() == before
    assert toy.config == text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_it_comes_up_puts_the_cluster_back(
    toy: Toy, tmp_path: Path, number: signal.Signals
) -> None:
    before = toy.cluster.picture()
    for kubelet in toy.kubelets:
        kubelet._ready_after = 3600
    with Command(tmp_path, MIXED, *CLUSTER) as command:
        command.until("waiting for")
        command.interrupt(number)
        assert command.wait() == 4, command.log
    assert "interrupted" in command.log
    assert "Traceback" not in command.log
    assert toy.cluster.picture() == before


def test_a_cluster_that_cannot_be_put_back_is_told(toy: Toy, tmp_path: Path) -> None:
    with Command(tmp_path, MIXED, "--headless", "-u", "1", *CLUSTER) as command:
        command.until("kubernetes is up")
        toy.cluster.fault = lambda method, path: (
            Refusal(403, "not allowed any more") if method == "DELETE" else None
        )
        command.interrupt()
        assert command.wait() == 3, command.log
        toy.cluster.fault = lambda method, path: None
    assert "Try again with: ipvsload restore" in command.log
    assert "Traceback" not in command.log


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-H", "http://192.0.2.1"), "a kubernetes has an address of its own"),
        (("--sidecar", "true"), "--sidecar is an option of --testbed external, not of kubernetes"),
        (("--kernel", "uml"), "--kernel is an option of --testbed lab, not of kubernetes"),
        (("--context", "nowhere"), "nowhere"),
        (("--clients", "3"), "wants `clients: 3`: here the load has this machine's own address"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_touched(
    toy: Toy, tmp_path: Path, words: tuple[str, str], said: str, scenario: Path
) -> None:
    before = toy.cluster.picture()
    more = ("--headless", *CLUSTER, "--scenario", str(scenario))
    with Command(tmp_path, SKEW, *more, *words) as command:
        assert command.wait() in (2, 3), command.log
    assert said in command.log
    assert "Traceback" not in command.log
    assert toy.cluster.picture() == before
