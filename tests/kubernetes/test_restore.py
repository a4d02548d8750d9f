"""SIGKILL at every step, by enumeration: the cluster is put back byte for byte.

A step is a request that changes something. The API server kills the run when
it has carried the n-th of them out; between two requests nothing changes, so
these are all the states that a killed run can leave.
"""

import json
import os
import subprocess
import threading
import time
from multiprocessing.connection import wait
from typing import Any

import pytest

from ipvsload.errors import TestbedError
from ipvsload.testbed.kubernetes import restore as module
from ipvsload.testbed.kubernetes.kubeconfig import connect
from ipvsload.testbed.kubernetes.process_identity import identify, lives
from ipvsload.testbed.kubernetes.restore import restore
from tests import forked
from tests.kubernetes.foreign_table import THEIRS
from tests.kubernetes.toy import NODE, Toy
from tests.patience import HUNG_AFTER_S

# As counted by `test_the_whole_is_so_many_steps`.
STEPS = 38


@pytest.fixture
def toy(toy: Toy) -> Toy:
    """With a virtual server of somebody else's, which the IPVS mode deletes."""
    toy.proxy.foreign.add(THEIRS)
    return toy


def killed_after(toy: Toy, step: int) -> "list[tuple[str, str]]":
    """Runs a session and kills it at that step; every step that it made."""
    steps: list[tuple[str, str]] = []
    begun = threading.Event()

    def after(method: str, path: str) -> None:
        steps.append((method, path))
        if len(steps) == step:
            begun.wait()
            process.kill()
            wait([process.sentinel])

    toy.cluster.after = after
    process = forked.start("tests.kubernetes.lifecycle")
    begun.set()
    try:
        process.join(HUNG_AFTER_S)
    finally:
        process.kill()
        process.join()
        toy.cluster.after = lambda method, path: None
    return steps


def put_back() -> list[str]:
    return restore(connect(), lambda _: None)


def test_the_whole_is_so_many_steps(toy: Toy) -> None:
    before = toy.cluster.picture()
    steps = killed_after(toy, 0)
    assert len(steps) == STEPS, "\n".join(map(str, steps))
    assert toy.cluster.picture() == before
    assert toy.proxy.foreign.read() == [THEIRS]
    assert put_back() == ["there is nothing of ipvsload in this cluster"]


@pytest.mark.long
@pytest.mark.parametrize("step", range(1, STEPS))
def test_killed_at(toy: Toy, step: int) -> None:
    before, text = toy.cluster.picture(), toy.config
    assert len(killed_after(toy, step)) == step
    put_back()
    assert toy.config == text
    assert toy.cluster.picture() == before
    assert toy.proxy.mode == "iptables"
    assert toy.proxy.foreign.read() == [THEIRS]
    put_back()
    assert toy.cluster.picture() == before


def test_a_slow_proxy_lets_the_services_of_a_killed_run_go(toy: Toy) -> None:
    """The sidecars go on, so they say when; and what others have in the kernel then is named."""
    spec = {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.1",
        "selector": {"is": "elsewhere"},
        "ports": [{"port": 443, "targetPort": 6443}],
    }
    toy.cluster.put("services", "default", {"metadata": {"name": "kubernetes"}, "spec": spec})
    killed_after(toy, 19)
    deadline = time.monotonic() + HUNG_AFTER_S
    table = toy.tables[NODE]
    while len(json.loads(table.read_text())["services"]) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    toy.proxy.pause = 0.8
    heard: list[str] = []
    restore(connect(), heard.append)
    left = [key for key, _, _ in json.loads(table.read_text())["services"]]
    assert left == ["tcp 10.96.0.1:443"]
    assert (
        "kube-proxy has left virtual servers in the kernel of node node1: tcp 10.96.0.1:443"
        " (default/kubernetes); they go with, on that node: ipvsadm -D -t 10.96.0.1:443"
    ) in heard


class Killed(Exception):  # noqa: N818
    """In the place of SIGKILL, for a restore in this process."""


class Steps:
    """Lets so many requests through that change something, and kills at the next."""

    def __init__(self, ask: Any, steps: int) -> None:
        self._ask, self._left = ask, steps

    def __call__(self, method: str, *rest: Any, **more: Any) -> bytes:
        if method != "GET":
            if not self._left:
                raise Killed
            self._left -= 1
        answer: bytes = self._ask(method, *rest, **more)
        return answer


def test_a_restore_that_is_broken_off_at_each_step(toy: Toy) -> None:
    """Restore is killed after its n-th step, for every n, and done again each time."""
    before, text = toy.cluster.picture(), toy.config
    killed_after(toy, 19)  # in the middle of the first run, with kube-proxy switched
    assert toy.proxy.foreign.read() == []
    assert toy.config != text
    journal = toy.cluster.objects["configmaps", "ipvsload", "ipvsload-journal"]
    assert journal["data"]["original"] == text
    for steps in range(30):
        api = connect()
        api._ask = Steps(api._ask, steps)  # type: ignore[method-assign]  # it counts, then asks
        try:
            restore(api, lambda _: None)
        except Killed:
            continue
        break
    else:
        pytest.fail("it never ends")
    assert toy.cluster.picture() == before
    assert toy.config == text
    assert toy.proxy.foreign.read() == [THEIRS]


def test_a_run_never_puts_back_what_is_anothers(toy: Toy) -> None:
    killed_after(toy, 12)
    held = toy.cluster.picture()
    assert restore(connect(), lambda _: None, own="mine") == []
    assert toy.cluster.picture() == held


def test_a_run_that_lives_is_not_restored(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_after(toy, 12)
    journal = toy.cluster.objects["configmaps", "ipvsload", "ipvsload-journal"]["data"]
    journal["pid"], journal["process"] = str(os.getppid()), identify(os.getppid())
    with pytest.raises(TestbedError, match="still going on here"):
        put_back()
    del journal["process"]  # as a version before wrote it: the number decides
    with pytest.raises(TestbedError, match="still going on here"):
        put_back()
    journal["host"] = "another-machine"
    monkeypatch.setattr(module, "_SYNC", 0.0)
    put_back()
    assert ("namespaces", "", "ipvsload") not in toy.cluster.objects


def test_another_process_of_the_same_number_is_not_the_run(toy: Toy) -> None:
    killed_after(toy, 12)
    journal = toy.cluster.objects["configmaps", "ipvsload", "ipvsload-journal"]["data"]
    assert journal["process"].split()[0] == identify(os.getpid()).split()[0]
    journal["pid"] = str(os.getppid())  # alive, and begun at another time than the run
    put_back()
    assert ("namespaces", "", "ipvsload") not in toy.cluster.objects


def test_a_process_is_known_by_boot_and_start() -> None:
    mine = identify(os.getpid())
    assert lives(os.getpid(), mine)
    assert lives(os.getpid(), "")
    boot, start = mine.split()
    assert not lives(os.getpid(), f"{boot} {int(start) + 1}")
    assert not lives(os.getpid(), f"another-boot {start}")
    assert lives(1, "")  # another user's too
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert not lives(ended.pid, "")
