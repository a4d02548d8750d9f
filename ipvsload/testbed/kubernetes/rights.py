"""Which rights a run needs; the API is asked for each before anything is touched.

deploy/kubernetes-testbed/ grants exactly these; a test holds the two together.
"""

from collections.abc import Iterable
from shlex import quote
from typing import NamedTuple

from ipvsload.errors import TestbedError
from ipvsload.shipped_files import shipped
from ipvsload.testbed.kubernetes.api import Api
from ipvsload.testbed.kubernetes.object_names import NAMESPACE, PROXY, SYSTEM

_MANIFEST = str(shipped("deploy") / "kubernetes-testbed" / "rights.yaml")
GRANT = f"kubectl apply -f {quote(_MANIFEST)}"
"""The command by which an admin grants all of them."""


class Right(NamedTuple):
    """One right; `why` completes "needed to ..."."""

    verb: str
    resource: str
    namespace: str
    name: str
    why: str

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        name = f" {self.name}" if self.name else ""
        return f"{self.verb} {self.resource}{name}{where} (to {self.why})"


def _ours(resource: str, verbs: str, why: str) -> list[Right]:
    return [Right(verb, resource, NAMESPACE, "", why) for verb in verbs.split()]


NODES = [Right("list", "nodes", "", "", "find the nodes and their addresses")]
MAKE_NAMESPACE = [
    Right(verb, "namespaces", "", NAMESPACE if verb == "delete" else "", f"{verb} our namespace")
    for verb in ("create", "delete")
]
SEE_NAMESPACE = [Right("get", "namespaces", "", NAMESPACE, "see whether our namespace is there")]
WORKLOAD = [
    *_ours("configmaps", "create get list patch delete", "keep the journal and carry the code"),
    *_ours("services", "create get list delete", "make the service under test"),
    *_ours("deployments", "create list patch delete", "run and scale the real servers"),
    *_ours("daemonsets", "create list delete", "run the sidecar on every node"),
    *_ours("pods", "list patch", "see what pods wait for, and take one out of the service"),
    *_ours("pods", "delete", "remove those of a node that is not there"),
    *_ours("pods/log", "get", "read the sidecar"),
    *_ours("events", "list", "tell why a pod does not start"),
]
SEE_PROXY = Right("list", "daemonsets", SYSTEM, "", "find kube-proxy and its configuration")
ANNOTATE = [SEE_PROXY, *_ours("services", "patch", "tell kube-router how to balance it")]
SWITCH = [
    SEE_PROXY,
    Right("list", "services", "", "", "tell kube-proxy's virtual servers from those of others"),
    Right("list", "pods", SYSTEM, "", "find the proxies"),
    Right("delete", "pods", SYSTEM, "", "restart the proxies"),
    Right("get", "pods/log", SYSTEM, "", "see a silent fallback to iptables"),
    Right("list", "events", SYSTEM, "", "tell why a proxy does not start"),
]


def needed(
    *, namespace_exists: bool, switching: bool, config_maps: Iterable[str] = (PROXY,)
) -> list[Right]:
    """The rights that a run needs; `config_maps` may have kube-proxy's configuration."""
    found = [*SEE_NAMESPACE, *NODES, *WORKLOAD]
    if not namespace_exists:
        found += MAKE_NAMESPACE
    if not switching:
        return found
    for name in config_maps:
        found.append(Right("get", "configmaps", SYSTEM, name, "read kube-proxy's configuration"))
        found.append(Right("update", "configmaps", SYSTEM, name, "change mode and scheduler"))
    return found + SWITCH


def namespace_exists(api: Api) -> bool:
    """Whether our namespace is there; False where this user may not look."""
    return api.allowed("get", "namespaces", "", NAMESPACE) and bool(
        api.find("namespaces", NAMESPACE)
    )


def may(api: Api, right: Right) -> bool:
    """Whether this user has this right."""
    return api.allowed(*right[:4])


def missing(api: Api, rights: list[Right]) -> list[Right]:
    """The rights among these that this user does not have."""
    return [one for one in rights if not may(api, one)]


def demand(api: Api, rights: list[Right]) -> None:
    """Raise TestbedError with every right that is missing."""
    lacking = missing(api, rights)
    if lacking:
        raise TestbedError(
            "this user may not do all that a run needs; missing:\n  "
            + "\n  ".join(str(one) for one in lacking)
            + f"\nGrant them with: {GRANT} (as an admin; a ConfigMap of another name"
            " than kube-proxy is to be named there); those in kube-system are not needed with"
            " --keep-proxy"
        )
