"""Nodes that are not there: not Ready, or not in the cluster any more.

What runs there does not answer, a pod that is deleted does not end, and none
takes its place. So nobody waits for them; they are told once, with the reason.
"""

import time
from collections.abc import Iterable

from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import node_objects
from ipvsload.testbed.kubernetes.api import Api, ApiError

_ASK_EVERY = 5.0
"""Seconds between two looks: a cluster may have thousands of nodes."""
_GONE = "it is not in the cluster any more"


class AbsentNodes:
    """Asks the cluster, every few seconds at most."""

    def __init__(self, api: Api, tell: Tell = lambda _: None) -> None:
        self._api = api
        self._tell = tell
        self._asked = float("-inf")
        self._present: dict[str, str] = {}
        """Why each node that the cluster knows is not there; "" where it is."""
        self._told: set[str] = set()

    def among(self, names: Iterable[str]) -> dict[str, str]:
        """Why each of these that is not there is not; empty where this user may not list nodes."""
        now = time.monotonic()
        if now - self._asked >= _ASK_EVERY:
            self._asked = now
            try:
                found = self._api.every("nodes")
            except ApiError as error:
                if error.status != 403:
                    raise
                return {}
            self._present = {node_objects.name(one): node_objects.absence(one) for one in found}
        absent = {name: why for name in names if (why := self._present.get(name, _GONE))}
        for name, why in absent.items():
            if name not in self._told:
                self._told.add(name)
                self._tell(f"node {name} is left out: {why}")
        return absent
