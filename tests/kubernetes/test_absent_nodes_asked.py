"""Who asks which nodes are not there: several threads at once, and users who may not list them."""

import threading
from typing import Any

from ipvsload.testbed.kubernetes.absent_nodes import AbsentNodes
from ipvsload.testbed.kubernetes.api import ApiError
from tests.patience import HUNG_AFTER_S

READY = {
    "metadata": {"name": "node1"},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


class SlowApi:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.asked, self.let = threading.Event(), threading.Event()

    def every(self, _kind: str) -> list[Any]:
        self.asked.set()
        assert self.let.wait(HUNG_AFTER_S)
        return [READY]


def test_who_comes_while_another_asks_hears_the_answer() -> None:
    api, found = SlowApi(), []
    nodes = AbsentNodes(api)  # type: ignore[arg-type]

    def ask() -> None:
        found.append(nodes.among(["node1", "node2"]))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    threads[0].start()
    assert api.asked.wait(HUNG_AFTER_S)
    threads[1].start()
    threads[1].join(0.2)  # without a lock it would have an answer by now
    api.let.set()
    for thread in threads:
        thread.join(HUNG_AFTER_S)
    assert found == [{"node2": "it is not in the cluster any more"}] * 2


def test_who_may_not_list_them_takes_none_for_absent_each_time() -> None:
    class Refusing:
        def every(self, _kind: str) -> list[Any]:
            raise ApiError("forbidden", 403)

    nodes = AbsentNodes(Refusing())  # type: ignore[arg-type]
    assert [nodes.among(["node1"]), nodes.among(["node1"])] == [{}, {}]
