"""The cluster's Node objects: which can be watched, and where their ports are. Pure."""

from ipvsload.errors import TestbedError, UsageError
from ipvsload.testbed.kubernetes.api import Object


def name(node: Object) -> str:
    """The node's name."""
    return str(node["metadata"]["name"])


def address(node: Object) -> str:
    """The node's address in the cluster, which its NodePorts have too."""
    found = node.get("status", {}).get("addresses") or []
    for kind in ("InternalIP", "ExternalIP"):
        for one in found:
            if one["type"] == kind:
                return str(one["address"])
    raise TestbedError(f"node {name(node)} has no address")


def ready(node: Object) -> bool:
    """Whether the node's kubelet answers."""
    conditions = node.get("status", {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def absence(node: Object) -> str:
    """Why the node is not there, in the cluster's words; "" where it is."""
    if ready(node):
        return ""
    conditions = node.get("status", {}).get("conditions") or []
    said = (one for one in conditions if one["type"] == "Ready")
    why = next((one.get("message") or one.get("reason") for one in said), "")
    return "it is not Ready" + (f": {why.rstrip('.')}" if why else "")


def cordoned(node: Object) -> bool:
    """Whether it takes no new pods, but for those of DaemonSets (kubectl cordon)."""
    return bool(node.get("spec", {}).get("unschedulable"))


def linux(node: Object) -> bool:
    """Whether the node can have an IPVS table."""
    info = node.get("status", {}).get("nodeInfo") or {}
    return (info.get("operatingSystem") or "linux") == "linux"


def choose(able: list[Object], wanted: str) -> Object:
    """Choose the node whose port the load goes to: the wanted one, else the first.

    `able` are those that are ready and can have an IPVS table.

    Nodes without a control plane come first: they have less traffic of their
    own; cordoned ones come last, since they may be about to go. Raises UsageError
    for an unknown one, TestbedError where none is ready.
    """
    if wanted:
        for node in able:
            if wanted in (name(node), address(node)):
                return node
        known = ", ".join(name(node) for node in able) or "none"
        raise UsageError(f"--node {wanted}: nodes that are ready are {known}")
    if not able:
        raise TestbedError("no node of this cluster is Ready; see: kubectl get nodes")
    control = "node-role.kubernetes.io/control-plane"
    return min(
        able,
        key=lambda node: (cordoned(node), control in (node["metadata"].get("labels") or {})),
    )
