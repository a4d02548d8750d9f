"""Puts virtual servers back that kube-proxy may have deleted: a pod on their nodes does it.

A sidecar's log has no way in, so what is to be put back goes there in the
ConfigMap that brings the code. Where the pod cannot do it, a person is told
what to do, with the text for ipvsadm.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ipvsload.errors import TestbedError
from ipvsload.ipvs.saved_services import SavedService
from ipvsload.sidecar.put_back import FILE
from ipvsload.testbed.balancers import Balancer
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import pods, proxies, sidecar_zipapp
from ipvsload.testbed.kubernetes.absent_nodes import AbsentNodes
from ipvsload.testbed.kubernetes.api import Api, ApiError, Object
from ipvsload.testbed.kubernetes.foreign_services import Kept, by_hand, deleted_by, listed
from ipvsload.testbed.kubernetes.journal import Journal
from ipvsload.testbed.kubernetes.manifests import code, sidecar
from ipvsload.testbed.kubernetes.object_names import NAMESPACE, RESTORER, ROLE
from ipvsload.testbed.kubernetes.polling import wait_for

_WITHIN = 120.0
_HELD = 3
"""Readings in turn, one a second, in which all must stand: a proxy may empty the table."""
_INCOMPLETE = "without NET_ADMIN (--rootless) nothing can be written there"
_IPVS_MODE = "kube-proxy is now configured for the IPVS mode and would delete them again"


def put_kept_back(api: Api, journal: Journal, absent: AbsentNodes, tell: Tell) -> list[str]:
    """Put back what the journal has kept, now that kube-proxy is as it was.

    Returns what is left for a person to do. Can be called again.
    """
    if journal.original is None or not journal.kept:
        return []  # nothing was switched
    wanted: dict[str, list[SavedService]] = {}
    left: list[str] = []
    gone = absent.among(journal.kept)
    deleted = _deleted_again(api, journal)
    for node, services in journal.kept.items():
        why = gone.get(node, "")
        if not why and not all(one.complete for one in services):
            why = _INCOMPLETE
        if why:
            left.append(by_hand(node, services, why))
            continue
        doomed = [one for one in services if one.key in deleted]
        if doomed:
            left.append(by_hand(node, doomed, _IPVS_MODE))
        if rest := [one for one in services if one.key not in deleted]:
            wanted[node] = rest
    if wanted:
        left += _by_pods(api, journal, wanted, absent, tell)
    return left


def _deleted_again(api: Api, journal: Journal) -> set[str]:
    """Keys that kube-proxy would delete as it is configured now: somebody may have edited that."""
    config = proxies.configuration(api, journal.place)
    ipvs = Balancer("")
    if config is None or config.mode != ipvs.proxy_mode:
        return set()
    every = (one.key for services in journal.kept.values() for one in services)
    return {key for key in every if deleted_by(ipvs, key, config.exclude_cidrs)}


def _by_pods(
    api: Api, journal: Journal, wanted: Kept | Mapping[str, list[SavedService]],
    absent: AbsentNodes, tell: Tell,
) -> Iterator[str]:  # fmt: skip
    tell(f"putting virtual servers back: {listed(wanted)}")
    text = json.dumps({node: [one.to_json() for one in kept] for node, kept in wanted.items()})
    archive = sidecar_zipapp.archive(sidecar_zipapp.RESTORER)
    _create(api, "configmaps", code(RESTORER, archive, **{FILE: text}))
    _create(api, "daemonsets", sidecar(RESTORER, journal.image, []))
    said: dict[str, dict[str, Any]] = {}
    waits = ""

    def missing() -> str | None:
        nonlocal waits
        found = pods.present(api, NAMESPACE, f"{ROLE}={RESTORER}")
        for pod in filter(pods.running, found):
            if line := _last_line(pods.log(api, pod, tail=3)):
                said[pods.node(pod)] = line
        without = [n for n in wanted if said.get(n, {}).get("held", 0) < _HELD]
        without = [node for node in without if node not in absent.among(without)]
        if not without:
            return None
        waiting = [pod for pod in found if not pods.running(pod)]
        waits = pods.words_of(api, NAMESPACE, waiting) or f"not yet on {', '.join(without)}"
        return waits

    with suppress(TestbedError):  # what is left is said for each node
        wait_for("virtual servers to be put back", missing, _WITHIN, tell)
    gone = absent.among(wanted)
    for node, services in wanted.items():
        line = said.get(node)
        if line is None or line["held"] < _HELD:
            yield by_hand(node, services, gone.get(node) or waits)
            continue
        for key, why in line["wrong"].items():
            yield by_hand(node, [one for one in services if one.key == key], why)


def _create(api: Api, kind: str, body: Object) -> None:
    """Create it; one that a restore which was broken off has made is as good."""
    try:
        api.create(kind, body, NAMESPACE)
    except ApiError as error:
        if error.status != 409:
            raise


def _last_line(text: str) -> dict[str, Any] | None:
    lines = [line for line in text.splitlines() if line.startswith('{"put_back"')]
    return json.loads(lines[-1]) if lines else None
