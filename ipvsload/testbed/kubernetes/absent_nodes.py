"""Nodes that are not there: not Ready, or not in the cluster any more.

What runs there does not answer, a pod that is deleted does not end, and none
takes its place. So nobody waits for them; they are told once, with the reason.
"""

import threading
import time
from collections.abc import Iterable

from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import node_objects
from ipvsload.testbed.kubernetes.api import Api, ApiError

_ASK_EVERY = 5.0
"""Seconds between two looks: a cluster may have thousands of nodes."""
_GONE = "it is not in the cluster any more"


class AbsentNodes:
    """Asks the cluster, every few seconds at most; for any number of threads."""

    def __init__(self, api: Api, tell: Tell = lambda _: None) -> None:
        self._api = api
        self._tell = tell
        self._lock = threading.Lock()
        self._asked = float("-inf")
        self._present: dict[str, str] | None = None
        """Why each node that the cluster knows is not there; "" where it is. None: not known."""
        self._told: set[str] = set()

    def among(self, names: Iterable[str]) -> dict[str, str]:
        """Why each of these that is not there is not; empty where this user may not list nodes."""
        with self._lock:  # who comes while another asks waits for the answer
            if time.monotonic() - self._asked >= _ASK_EVERY:
                self._present = self._ask()
                self._asked = time.monotonic()
            present = self._present
        if present is None:
            return {}
        absent = {name: why for name in names if (why := present.get(name, _GONE))}
        for name, why in absent.items():
            if name not in self._told:
                self._told.add(name)
                self._tell(f"node {name} is left out: {why}")
        return absent

    def _ask(self) -> dict[str, str] | None:
        try:
            found = self._api.every("nodes")
        except ApiError as error:
            if error.status != 403:
                raise
            return None
        return {node_objects.name(one): node_objects.absence(one) for one in found}
