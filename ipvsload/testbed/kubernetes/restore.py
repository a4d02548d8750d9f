"""Put a cluster back: the end of every run, and `ipvsload restore` after a killed one.

Only what is in the cluster decides what is done, so any machine can do it. Each
step looks before it acts, so all of it can be done twice, and after it was
broken off. The order matters: the Services go while kube-proxy still has the
changed mode, so that kube-proxy itself takes their virtual servers out of the
kernel; the journal goes last.
"""

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import replace

from ipvsload.ipvs.keys import join_endpoint
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes.absent_nodes import AbsentNodes
from ipvsload.testbed.kubernetes.api import Api, Object
from ipvsload.testbed.kubernetes.journal import ActiveError, Journal, find_journal, write_journal
from ipvsload.testbed.kubernetes.leftover_services import LeftoverServices
from ipvsload.testbed.kubernetes.namespace_end import wait_for_end
from ipvsload.testbed.kubernetes.node_mending import mend_nodes
from ipvsload.testbed.kubernetes.object_names import JOURNAL, MADE, NAMESPACE, SELECT_OURS
from ipvsload.testbed.kubernetes.orphaned_sidecars import OrphanedSidecars
from ipvsload.testbed.kubernetes.polling import wait_for
from ipvsload.testbed.kubernetes.process_identity import lives
from ipvsload.testbed.kubernetes.proxy_switch import leaves_ipvs, put_back

_SYNC = 2.5
"""Seconds for kube-proxy to take the services' virtual servers out (ipvs.minSyncPeriod)."""
_LATER = "what balances Services there takes them out by its next sync (kube-router: 5 minutes)"
_GONE_WITHIN = 90.0
_NAMESPACE_GONE_WITHIN = 180.0
_LOAD = ("services", "deployments")
_REST = ("daemonsets", "configmaps")


def restore(
    api: Api, tell: Tell, *, own: str = "", leftovers: LeftoverServices | None = None
) -> list[str]:
    """Put everything back. Returns what a person should know; empty if nothing.

    `own` is the id of the caller's own run, and `leftovers` sees the nodes'
    tables through its sidecars. Raises ActiveError where the run's process still
    lives on this machine, TestbedError where a step fails (the rest can be
    restored again).
    """
    found = api.find("namespaces", NAMESPACE)
    if found is None:
        return [] if own else ["there is nothing of ipvsload in this cluster"]
    journal = find_journal(api)
    if own and journal and journal.id != own:
        return []  # the cluster is somebody else's now
    if journal and journal.id != own and _alive(journal):
        raise ActiveError(
            f"that run is still going on here: {journal.owner(time.time())}; end it first"
            f" (Ctrl-C, or kill {journal.pid}), and it puts the cluster back itself"
        )
    labels = found["metadata"].get("labels") or {}
    made = labels.get(MADE) == "yes"
    if journal is None and not made and not own and not _ours(api, (*_LOAD, *_REST)):
        return ["there is nothing to be put back"]
    if journal and not own:
        tell(f"putting back what this run changed: {journal.owner(time.time())}")
    if journal and leaves_ipvs(journal):
        journal = _note_services(api, journal, leftovers.made if leftovers else ())
    seen = leftovers or OrphanedSidecars(api, api.every("services", NAMESPACE, SELECT_OURS))
    unloaded = _remove(api, _LOAD, tell) and journal
    taken_out = bool(unloaded and seen.wait_until_gone(tell))
    if journal and journal.original is None:  # nothing was switched
        if unloaded and not taken_out and (there := seen.still_on()):
            nodes = ", ".join(there)
            tell(f"virtual servers of the run are still in the tables of {nodes}: {_LATER}")
    elif unloaded and not taken_out:
        time.sleep(_SYNC)
    left: list[str] = []
    if journal:
        left += filter(None, [put_back(api, journal, tell)])
    if journal:
        # Who was killed may have killed a proxy that was about to write them.
        remove = () if taken_out and leftovers else journal.services
        left += mend_nodes(api, journal, remove, AbsentNodes(api, tell), tell)
    if journal and leaves_ipvs(journal):
        for line in seen.report(api):
            tell(line)
    _remove(api, _REST, tell)
    if made:
        tell(f"removing namespace {NAMESPACE}")
        api.delete("namespaces", NAMESPACE)
        what = f"namespace {NAMESPACE} to be gone"
        left += wait_for_end(api, what, _NAMESPACE_GONE_WITHIN, tell)
    elif journal:
        api.delete("configmaps", JOURNAL, NAMESPACE)
    return left


def _note_services(api: Api, journal: Journal, made: Sequence[Object]) -> Journal:
    """Write down where our Services are, before they go: kube-proxy may leave them in kernels.

    `made` are those of the run, which may have gone already.
    """
    found = [*journal.services]
    for one in (*api.every("services", NAMESPACE, SELECT_OURS), *made):
        ingress = (one.get("status", {}).get("loadBalancer") or {}).get("ingress") or []
        hosts = [one["spec"].get("clusterIP"), *(address.get("ip") for address in ingress)]
        for port in one["spec"].get("ports") or []:
            found += [join_endpoint(host, port["port"]) for host in hosts if host]
            found += [f":{port['nodePort']}"] if port.get("nodePort") else []
    noted = replace(journal, services=tuple(dict.fromkeys(found)))
    if noted != journal:
        write_journal(api, noted)
    return noted


def _remove(api: Api, kinds: tuple[str, ...], tell: Tell) -> int:
    """Delete all our objects of these kinds but the journal, and wait for it; how many."""
    found = _ours(api, kinds)
    for kind, name in found:
        api.delete(kind, name, NAMESPACE)

    def missing() -> str | None:
        return next((f"{kind} {name}" for kind, name in _ours(api, kinds)), None)

    wait_for("what was created to be gone", missing, _GONE_WITHIN, tell)
    return len(found)


def _ours(api: Api, kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """Kind and name of all our objects of these kinds but the journal."""
    return [
        (kind, one["metadata"]["name"])
        for kind in kinds
        for one in api.every(kind, NAMESPACE, SELECT_OURS)
        if one["metadata"]["name"] != JOURNAL
    ]


def _alive(journal: Journal) -> bool:
    """Whether the run's process is on this machine and lives."""
    if journal.host != socket.gethostname() or journal.pid == os.getpid():
        return False
    return lives(journal.pid, journal.process)
