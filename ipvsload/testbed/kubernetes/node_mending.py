"""What is put right in the nodes' kernels when a cluster is put back: pods on the nodes do it.

That is virtual servers of others that kube-proxy may have deleted, and what it
may have left of our own Services: who kills a run while kube-proxy is being
restarted has nobody left who sees the tables. A sidecar's log has no way in, so
what is to be done goes there in the ConfigMap that brings the code. Where a pod
cannot do it, a person is told what to do.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ipvsload.errors import TestbedError
from ipvsload.scenario.balancers import Balancer
from ipvsload.sidecar.put_back import FILE
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import node_objects, pods, proxies, sidecar_zipapp
from ipvsload.testbed.kubernetes.absent_nodes import AbsentNodes
from ipvsload.testbed.kubernetes.api import Api, ApiError, Object
from ipvsload.testbed.kubernetes.foreign_services import Kept, by_hand, deleted_by, listed
from ipvsload.testbed.kubernetes.journal import Journal
from ipvsload.testbed.kubernetes.manifests import code, sidecar
from ipvsload.testbed.kubernetes.object_names import NAMESPACE, RESTORER, ROLE
from ipvsload.testbed.kubernetes.polling import wait_for

if TYPE_CHECKING:
    from ipvsload.ipvs.saved_services import SavedService

_WITHIN = 120.0
_IPVS = Balancer("")
_HELD = 3
"""Readings in turn, one a second, in which all must stand: a proxy may empty the table."""
_NO_RIGHT = "without NET_ADMIN (--rootless) nothing can be written there"
_IPVS_MODE = "kube-proxy is now configured for the IPVS mode and would delete them again"


def mend_nodes(
    api: Api, journal: Journal, remove: Sequence[str], absent: AbsentNodes, tell: Tell
) -> list[str]:
    """Put back what the journal has kept, now that kube-proxy is as it was.

    And remove our own Services' virtual servers, at the endpoints of `remove`.
    Returns what is left for a person to do. Can be called again.
    """
    if journal.original is None:
        return []  # nothing was switched
    wanted: dict[str, Sequence[SavedService]] = {}
    left: list[str] = []
    gone = absent.among(journal.kept)
    config = proxies.configuration(api, journal.place)
    deleted: set[str] = set()
    if config is not None and config.mode == _IPVS.proxy_mode:  # somebody has edited that
        every = (one.key for services in journal.kept.values() for one in services)
        deleted = {key for key in every if deleted_by(_IPVS, key, config.exclude_cidrs)}
        remove = ()  # kube-proxy does it
    for node, services in journal.kept.items():
        why = gone.get(node, "")
        if not why and not (journal.writes and all(one.complete for one in services)):
            why = _NO_RIGHT
        if why:
            left.append(by_hand(node, services, why))
            continue
        doomed = [one for one in services if one.key in deleted]
        if doomed:
            left.append(by_hand(node, doomed, _IPVS_MODE))
        if rest := [one for one in services if one.key not in deleted]:
            wanted[node] = rest
    if remove and not journal.writes:
        tell(_unremoved("the nodes", remove, _NO_RIGHT))
        remove = ()
    if wanted:
        tell(f"putting virtual servers back: {listed(wanted)}")
    if wanted or remove:
        left += _Mending(api, journal, wanted, remove, absent, tell).results()
    return left


class _Mending:
    """The pods, what they have to do, and what they have said."""

    def __init__(
        self, api: Api, journal: Journal, wanted: Kept, remove: Sequence[str],
        absent: AbsentNodes, tell: Tell,
    ) -> None:  # fmt: skip
        self._api, self._wanted, self._remove = api, wanted, remove
        self._absent, self._tell = absent, tell
        self._nodes = _nodes(api) if remove else list(wanted)
        self._said: dict[str, dict[str, Any]] = {}
        self._waits = ""
        kept = {node: [one.to_json() for one in some] for node, some in wanted.items()}
        text = json.dumps({"put_back": kept, "remove": list(remove)})
        archive = sidecar_zipapp.archive(sidecar_zipapp.RESTORER)
        _create(api, "configmaps", code(RESTORER, archive, **{FILE: text}))
        _create(api, "daemonsets", sidecar(RESTORER, journal.image, []))

    def results(self) -> Iterator[str]:
        """Wait for every node that is there; what is left for a person to do."""
        with suppress(TestbedError):  # what is left is said for each node
            wait_for("the nodes' kernels to be put right", self._missing, _WITHIN, self._tell)
        gone = self._absent.among(self._nodes)
        for node in self._nodes:
            line, services = self._said.get(node), self._wanted.get(node, ())
            if line is None or line["held"] < _HELD:
                why = gone.get(node) or self._waits
                if services:
                    yield by_hand(node, services, why)
                if self._remove:
                    self._tell(_unremoved(f"node {node}", self._remove, why))
                continue
            for key, why in line["wrong"].items():
                if found := [one for one in services if one.key == key]:
                    yield by_hand(node, found, why)
                else:
                    self._tell(_unremoved(f"node {node}", [key], why))

    def _missing(self) -> str | None:
        found = pods.present(self._api, NAMESPACE, f"{ROLE}={RESTORER}")
        for pod in filter(pods.running, found):
            if line := _last_line(pods.log(self._api, pod, tail=3)):
                self._said[pods.node(pod)] = line
        late = [n for n in self._nodes if self._said.get(n, {}).get("held", 0) < _HELD]
        gone = self._absent.among(late)
        late = [node for node in late if node not in gone]
        if not late:
            return None
        waiting = [pod for pod in found if pods.node(pod) in late and not pods.running(pod)]
        words = pods.words_of(self._api, NAMESPACE, waiting) if waiting else ""
        self._waits = words or f"not yet on {', '.join(late)}"
        return self._waits


def _nodes(api: Api) -> list[str]:
    """Those that can have a table; none where this user may not list them."""
    try:
        found = api.every("nodes")
    except ApiError as error:
        if error.status != 403:
            raise
        return []
    able = (one for one in found if node_objects.linux(one) and node_objects.ready(one))
    return [node_objects.name(one) for one in able]


def _unremoved(where: str, endpoints: Sequence[str], why: str) -> str:
    return (
        f"virtual servers of this run's Services may be left in the kernel of {where}"
        f" ({', '.join(endpoints)}): {why}. They go with ipvsadm -D there"
    )


def _create(api: Api, kind: str, body: Object) -> None:
    """Create it; one that a restore which was broken off has made is as good."""
    try:
        api.create(kind, body, NAMESPACE)
    except ApiError as error:
        if error.status != 409:
            raise


def _last_line(text: str) -> dict[str, Any] | None:
    lines = [line for line in text.splitlines() if line.startswith('{"put_back"')]
    found: dict[str, Any] | None = json.loads(lines[-1]) if lines else None
    return found
