"""The sidecars of a run that was killed: they go on, and the ends of their logs say what is there.

So `ipvsload restore` need not guess how long kube-proxy takes to let the run's
services go, and names what is left afterwards, as the end of a run does.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ipvsload.errors import TestbedError
from ipvsload.scenario.balancers import of_proxy_mode
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import leftover_services, pods
from ipvsload.testbed.kubernetes.absent_nodes import AbsentNodes
from ipvsload.testbed.kubernetes.api import Api, ApiError, Object
from ipvsload.testbed.kubernetes.object_names import NAMESPACE, ROLE, SIDECAR
from ipvsload.testbed.kubernetes.polling import wait_for

_TAIL = 1000
"""Lines: more than a minute's, at 10 samples a second."""
_UNSEEN = (
    "kube-proxy may leave virtual servers of the IPVS mode in the nodes' kernels (1.20 and 1.36"
    " do): see docs/kubernetes.md, What a cluster cannot do"
)


class OrphanedSidecars:
    """As LeftoverServices; `made` are the Services of the killed run."""

    def __init__(self, api: Api, made: Sequence[Object]) -> None:
        self._api = api
        self._made = made
        self._absent = AbsentNodes(api)

    def wait_until_gone(self, tell: Tell) -> bool:
        """Wait until kube-proxy has taken the run's services out of every table; whether it did.

        False at once where no sidecar can tell.
        """
        if not self._said("services"):
            return False

        def missing() -> str | None:
            there = self.still_on()
            return f"still in the table of node {there[0]}" if there else None

        within = leftover_services.LET_GO_WITHIN
        with suppress(TestbedError):
            wait_for("the run's services to leave the tables", missing, within, tell)
            return True
        return False

    def still_on(self) -> list[str]:
        """The nodes whose tables have the run's services, as far as sidecars tell."""
        return [name for name, services in self._said("services").items() if services]

    def report(self, api: Api) -> list[str]:
        """A line for each node that has virtual servers without a kube-proxy that keeps them.

        Only those that a Service explains: the run, which knew what was there
        before it, is not there to be asked.
        """
        if not self._said("services"):
            return [_UNSEEN]
        known = ours = leftover_services.owners(self._made)
        with suppress(ApiError):  # a right that a run need not have
            known = leftover_services.owners(api.every("services")) | ours
        left: dict[str, list[str]] = {}

        def missing() -> str | None:
            left.clear()
            modes, said = self._said("proxy_mode"), self._said("left")
            for name, mode in modes.items():
                keys = [key for key in said.get(name, ()) if leftover_services.owner(key, known)]
                if keys or not of_proxy_mode(mode):
                    left[name] = keys
            return "" if left else None

        with suppress(TestbedError):
            within = leftover_services.CLEANED_WITHIN
            wait_for("the nodes' tables to be empty", missing, within)
        return [
            leftover_services.describe(name, keys, known) for name, keys in left.items() if keys
        ]

    def _said(self, fact: str) -> dict[str, Any]:
        """What each node's sidecar has said last of this, as far as the end of its log has it."""
        found: dict[str, Any] = {}
        present = pods.present(self._api, NAMESPACE, f"{ROLE}={SIDECAR}")
        absent = self._absent.among(map(pods.node, present))
        for pod in present:
            # Nobody answers for the log of a node that is not there.
            if not pods.running(pod) or pods.node(pod) in absent:
                continue
            lines = reversed(pods.log(self._api, pod, _TAIL).splitlines())
            if last := next((line for line in lines if f'"{fact}":' in line), None):
                found[pods.node(pod)] = json.loads(last)[fact]
        return found
