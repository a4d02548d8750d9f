"""`ipvsload doctor --testbed kubernetes`: what a run needs, and what mends what is missing.

First it only reads: context, rights, configuration. Then, where the rights
allow, a pod on every node looks at the node's kernel, and is removed. Like a
run, this takes the cluster and keeps a journal, so `ipvsload restore` cleans up
after a doctor that was killed.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

from ipvsload.errors import TestbedError
from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.testbed.doctor_finding import DoctorFinding
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import (
    cluster_findings,
    node_objects,
    pods,
    rights,
    sidecar_zipapp,
)
from ipvsload.testbed.kubernetes.absent_nodes import AbsentNodes
from ipvsload.testbed.kubernetes.api import Api, Object
from ipvsload.testbed.kubernetes.examined_proxy import ExaminedProxy
from ipvsload.testbed.kubernetes.found_proxies import find_proxies
from ipvsload.testbed.kubernetes.journal import find_journal, new_journal, take_cluster
from ipvsload.testbed.kubernetes.manifests import code, namespace, sidecar
from ipvsload.testbed.kubernetes.object_names import EXAMINER, NAMESPACE, ROLE
from ipvsload.testbed.kubernetes.polling import wait_for
from ipvsload.testbed.kubernetes.restore import restore
from ipvsload.testbed.kubernetes.service_proxy import ServiceProxy

_EXAMINED_WITHIN = 180.0
_SCHEDULERS = ["rr", "lc"]
"""Without these, a run of the shipped scenarios fails; the others are listed only."""


def examine(api: Api, tell: Tell, image: str = "") -> Iterator[DoctorFinding]:
    """Yield every finding as it is made; the last one says whether a run is possible at all.

    `image` has the Python that looks at the nodes.
    """
    yield DoctorFinding("cluster", True, f"{api}, Kubernetes {api.version()}")
    exists = rights.namespace_exists(api)
    found = find_proxies(api)
    wanted = found.rights(namespace_exists=exists)
    lacking = rights.missing(api, wanted)
    for right in lacking:
        yield DoctorFinding("right", False, f"{right}; an admin grants it with: {rights.GRANT}")
    if not lacking:
        yield DoctorFinding("rights", True, f"all {len(wanted)} that a run needs")
    good = not lacking
    proxy: ServiceProxy = ExaminedProxy()
    try:
        proxy = found.examine(api)
        yield from proxy.findings(api)
    except TestbedError as error:
        good = False
        yield DoctorFinding(proxy.program, False, str(error))
    holder = find_journal(api) if exists and not lacking else None
    if holder:
        text = f"{holder.owner(time.time())}; if it is gone: ipvsload restore"
        yield DoctorFinding("active run", False, text)
        good = False
    if not lacking and not holder:
        for finding in _nodes(api, tell, image, exists, proxy):
            good = good and finding.good
            yield finding
    text = "a run can be had" if good else "what is missing above is in the way of a run"
    yield DoctorFinding("kubernetes", good, text)


def _nodes(
    api: Api, tell: Tell, image: str, exists: bool, proxy: ServiceProxy
) -> Iterator[DoctorFinding]:
    """Yield one finding for each node and one for each part that it lacks."""
    found = [one for one in api.every("nodes") if node_objects.linux(one)]
    for node in found:
        if why := node_objects.absence(node):
            yield DoctorFinding(
                f"node {node_objects.name(node)}", True, f"{why}; runs leave it out"
            )
    able = {node_objects.name(one): one for one in found if node_objects.ready(one)}
    if not able:
        yield DoctorFinding("nodes", False, "none is Ready: kubectl get nodes")
        return
    held = new_journal()
    if not exists:
        api.create("namespaces", namespace())
    try:
        take_cluster(api, held)
        facts = _look_at_nodes(api, tell, image, list(able), proxy)
    except TestbedError as error:
        yield DoctorFinding("nodes", False, f"could not look at them: {error}")
        return
    finally:
        restore(api, tell, own=held.id)
    for name, fact in sorted(facts.items()):
        yield from _node(name, fact, able[name])
        yield from proxy.node_findings(name, fact)
    yield from proxy.table_findings(facts, api)


def _node(name: str, fact: dict[str, Any], node: Object) -> Iterator[DoctorFinding]:
    table = "no IPVS table yet"
    if fact["table"]:
        by = f" by {', '.join(fact['schedulers'])}" if fact["schedulers"] else ""
        table = f"an IPVS table with {fact['virtual_servers']} virtual servers{by}"
    link = ", kube-ipvs0 is there" if fact["kube_ipvs0"] else ""
    yield DoctorFinding(f"node {name}", True, f"Linux {fact['kernel']}, {table}{link}")
    labels = node["metadata"].get("labels") or {}
    for module, state in cluster_findings.missing_modules(fact["modules"], _SCHEDULERS):
        good = state != "absent"
        yield DoctorFinding(
            f"{module} on {name}", good, cluster_findings.mend(module, state, labels)
        )
    others = [
        name
        for name, scheduler in SCHEDULERS.items()
        if fact["modules"].get(scheduler.module, "absent") != "absent"
    ]
    yield DoctorFinding(f"schedulers on {name}", bool(others), ", ".join(others) or "none")


def _look_at_nodes(
    api: Api, tell: Tell, image: str, names: list[str], proxy: ServiceProxy
) -> dict[str, dict[str, Any]]:
    tell("looking at the nodes' kernels")
    archive = sidecar_zipapp.archive(sidecar_zipapp.EXAMINER)
    api.create("configmaps", code(EXAMINER, archive), NAMESPACE)
    where = ["--proxy-status", proxy.config.status_endpoint()] if proxy.config else []
    made = sidecar(EXAMINER, image, where, rootless=True, modules=True)
    api.create("daemonsets", made, NAMESPACE)
    facts: dict[str, dict[str, Any]] = {}
    absent = AbsentNodes(api, tell)

    def missing() -> str | None:
        found = api.every("pods", NAMESPACE, f"{ROLE}={EXAMINER}")
        for pod in filter(pods.running, found):
            for line in pods.log(api, pod, tail=5).splitlines():
                if line.startswith('{"examined"'):
                    facts[pods.node(pod)] = json.loads(line)
        without = set(names) - set(facts)
        without -= absent.among(without).keys()
        if not without:
            return None
        waiting = [pod for pod in found if pods.node(pod) in without and not pods.running(pod)]
        return pods.words_of(api, NAMESPACE, waiting) or f"nothing yet from {', '.join(without)}"

    wait_for("every node to be looked at", missing, _EXAMINED_WITHIN, tell)
    return facts
