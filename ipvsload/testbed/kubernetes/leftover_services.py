"""Virtual servers that no kube-proxy keeps up to date any more.

kube-proxy leaves its virtual servers in the kernel when it goes from the IPVS
mode to iptables (1.20 to 1.36; to nftables, it empties the whole table). So a run waits until
its own are gone while kube-proxy still has that mode, and names what is there
afterwards, with the command that removes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from ipvsload.errors import TestbedError
from ipvsload.ipvs.ipvsadm import removal
from ipvsload.ipvs.keys import join_endpoint, split_key
from ipvsload.scenario.balancers import of_proxy_mode
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes.api import Api, ApiError, Object
from ipvsload.testbed.kubernetes.node_lines import NodeState, next_readings
from ipvsload.testbed.kubernetes.object_names import NAMESPACE
from ipvsload.testbed.kubernetes.polling import wait_for

LET_GO_WITHIN = 30.0
"""Seconds for kube-proxy to take services out: one writing of its rules, which was seen to
take 18 s with 1.36 on a slow node, and ipvs.syncPeriod's default."""
CLEANED_WITHIN = 6.0
"""Seconds that a proxy which has just started may take to clean up."""
_SHOWN = 5


class LeftoverServices:
    """What is left in the nodes' tables, as their sidecars read them.

    Virtual servers that were there at the beginning are not the run's business.
    `made` are the run's Services: their addresses say whose a virtual server was
    when the Service is gone.
    """

    def __init__(self, nodes: Sequence[NodeState], made: Sequence[Object]) -> None:
        self._nodes = nodes
        self.made = made
        self._before = {node.name: frozenset(node.leftovers) for node in nodes}

    def wait_until_gone(
        self, tell: Tell, *, service: bool = True, probe: bool = True, within: float = 0
    ) -> bool:
        """Wait until kube-proxy has taken our services out of every table; whether it did.

        The one under test, or the probe, or both; for `within` seconds, or the usual.
        """

        def missing() -> str | None:
            there = self.still_on(service=service, probe=probe)
            return f"still in the table of node {there[0]}" if there else None

        with suppress(TestbedError):
            wait_for(
                "the run's services to leave the tables", missing, within or LET_GO_WITHIN, tell
            )
            return True
        return False

    def still_on(self, *, service: bool = True, probe: bool = True) -> list[str]:
        """The nodes whose tables have our services, and a proxy that is to take them out."""
        return [
            node.name
            for node in _heard(self._nodes)
            # A kube-proxy in another mode never does it.
            if ((service and node.service) or (probe and node.probe))
            and not of_proxy_mode(node.proxy_mode)
        ]

    def report(self, api: Api) -> list[str]:
        """A line for each node that has virtual servers without a kube-proxy that keeps them.

        And one for each whose table is not known any more, with the reason.
        """
        fresh = {node.name: next_readings([node]) for node in self._nodes}

        def missing() -> str | None:
            read = all(done() for done in fresh.values())
            return None if read and not any(map(self._stale, _heard(self._nodes))) else ""

        with suppress(TestbedError):
            wait_for("the nodes' tables to be empty", missing, CLEANED_WITHIN)
        unknown = [
            f"the sidecar on node {node.name} is lost"
            f" ({node.lost or 'it says nothing more'}): what kube-proxy leaves in that kernel is"
            " not known"
            for node in self._nodes
            if node.lost or not fresh[node.name]()
        ]
        return [*unknown, *self._described(api)]

    def _described(self, api: Api) -> list[str]:
        found = {node.name: self._stale(node) for node in _heard(self._nodes)}
        if not any(found.values()):
            return []
        known = ours = owners(self.made)
        with suppress(ApiError):  # a right that a run need not have
            known = owners(api.every("services")) | ours
        return [describe(node, keys, known) for node, keys in found.items() if keys]

    def _stale(self, node: NodeState) -> list[str]:
        return [key for key in node.leftovers if key not in self._before[node.name]]


def _heard(nodes: Iterable[NodeState]) -> list[NodeState]:
    """Those whose sidecars are not lost."""
    return [node for node in nodes if not node.lost]


def owners(services: Iterable[Object]) -> dict[str, str]:
    """The "namespace/name" of the Service that has "10.96.0.1:443" or ":30080". Pure."""
    found = {}
    for service in services:
        spec, meta = service["spec"], service["metadata"]
        name = f"{meta.get('namespace', NAMESPACE)}/{meta['name']}"
        ingress = (service.get("status", {}).get("loadBalancer") or {}).get("ingress") or []
        hosts = [*(spec.get("clusterIPs") or [spec.get("clusterIP")])]
        hosts += [*(spec.get("externalIPs") or []), *(one.get("ip") for one in ingress)]
        for port in spec.get("ports") or []:
            for host in hosts:
                if host and host != "None":
                    found[join_endpoint(host, port["port"])] = name
            if port.get("nodePort"):
                found[f":{port['nodePort']}"] = name
    return found


def owner(key: str, known: Mapping[str, str]) -> str | None:
    """Whose this virtual server is, of `owners`; None for nobody's. Pure."""
    parts = split_key(key)
    return known.get(parts.target) or known.get(f":{parts.port}")


def describe(node: str, keys: Iterable[str], known: Mapping[str, str]) -> str:
    """Say what is left on a node, whose it is, and what removes it. Pure."""
    keys = list(keys)
    nobody = "of a service that is not known here"
    shown = [f"{key} ({owner(key, known) or nobody})" for key in keys[:_SHOWN]]
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    if more:
        mend = "kube-proxy --cleanup, or ipvsadm --clear where nobody else uses IPVS"
    else:
        mend = "; ".join(removal(key) for key in keys)
    return (
        f"kube-proxy has left virtual servers in the kernel of node {node}:"
        f" {', '.join(shown)}{more}; they go with, on that node: {mend}"
    )
