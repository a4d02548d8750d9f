"""Virtual servers in the nodes' kernels that are not kube-proxy's, and that it would delete.

IPVS knows no owners. A kube-proxy in IPVS mode deletes each virtual server that
no Service explains (cleanLegacyService in pkg/proxy/ipvs/proxier.go), and one
in nftables mode empties the whole table at its start (platformCleanup in
cmd/kube-proxy/app/server_linux.go). So they are looked for before kube-proxy
is switched. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from ipvsload.ipvs.ipvsadm import restoring
from ipvsload.ipvs.keys import join_endpoint, split_endpoint, split_key
from ipvsload.ipvs.saved_services import SavedService
from ipvsload.scenario.balancers import Balancer
from ipvsload.testbed.kubernetes.api import Object

Kept = Mapping[str, Sequence[SavedService]]
"""Virtual servers by node."""
_OTHER_PROXY = "service.kubernetes.io/service-proxy-name"
"""A label of Services that kube-proxy leaves to another program."""
_SHOWN = 5
_NOT_IN_PROC = (
    "it was read out of /proc, which tells no thresholds, no flags of the scheduler, and not how"
    " long persistence lasts"
)


class Explanation(NamedTuple):
    """What kube-proxy makes of a cluster's Services: keys, and (protocol, port) on each node."""

    keys: frozenset[str]
    node_ports: frozenset[tuple[str, int]]

    def covers(self, key: str, addresses: Iterable[str]) -> bool:
        """Whether it is a Service's, on a node with these addresses."""
        if key in self.keys:
            return True
        host, port = _endpoint(key)
        return (split_key(key).protocol, port) in self.node_ports and host in addresses


def explain(services: Iterable[Object]) -> Explanation:
    """Cluster IPs, external IPs, addresses of load balancers, and node ports."""
    keys: set[str] = set()
    node_ports: set[tuple[str, int]] = set()
    for service in services:
        if _OTHER_PROXY in (service["metadata"].get("labels") or {}):
            continue
        spec = service["spec"]
        ingress = (service.get("status", {}).get("loadBalancer") or {}).get("ingress") or []
        hosts = [*(spec.get("clusterIPs") or [spec.get("clusterIP")])]
        hosts += [*(spec.get("externalIPs") or []), *(one.get("ip") for one in ingress)]
        for port in spec.get("ports") or []:
            protocol = str(port.get("protocol") or "TCP").lower()
            keys.update(
                f"{protocol} {join_endpoint(_canonical(host), port['port'])}"
                for host in hosts
                if host and host != "None"
            )
            if port.get("nodePort"):
                node_ports.add((protocol, int(port["nodePort"])))
    return Explanation(frozenset(keys), frozenset(node_ports))


def deleted_by(balancer: Balancer, key: str, excluded: Sequence[str]) -> bool:
    """Whether kube-proxy deletes this virtual server, which is not its own, with this balancer.

    `excluded` are its ipvs.excludeCIDRs. One by fwmark has no address, and the
    IPVS mode does not find it to delete it (toIPVSService, util/ipvs_linux.go).
    """
    if not balancer.in_ipvs_table:
        return balancer.flushes
    return bool(_endpoint(key)[0]) and not excluded_by(key, excluded)


def excluded_by(key: str, networks: Iterable[str]) -> bool:
    """Whether the virtual server's address is in one of these networks."""
    host, _ = _endpoint(key)
    return any(_within(host, network) for network in networks)


def refusal(found: Kept, modes: Iterable[str]) -> str:
    """Why a run is refused that brings kube-proxy into one of these modes."""
    return (
        f"kube-proxy in mode {' or '.join(modes)} deletes virtual servers in the nodes' kernels"
        " that it did not make, and no Service of this cluster explains these:"
        f" {listed(found)}. Add their addresses to ipvs.excludeCIDRs of kube-proxy's"
        " configuration, which the IPVS mode heeds, or let the run delete them with"
        " --allow-deleting-virtual-servers: they are written down first, and put back at the end;"
        " meanwhile they take no traffic"
    )


def listed(found: Kept) -> str:
    """The virtual servers of each node in a line."""
    return "; ".join(f"on node {node} {some_of(services)}" for node, services in found.items())


def by_hand(node: str, services: Sequence[SavedService], why: str) -> str:
    """What a person does where the sidecar cannot put these back; several lines."""
    incomplete = "" if all(one.complete for one in services) else f" ({_NOT_IN_PROC})"
    return (
        f"virtual servers that kube-proxy may have deleted on node {node} are not put back: {why}."
        f" They are back with `ipvsadm -R` on that node, and this on its standard input"
        f"{incomplete}:\n{restoring(services)}"
    )


def some_of(services: Sequence[SavedService]) -> str:
    """The first of them in words."""
    shown = ", ".join(
        f"{one.key} ({one.scheduler}, {len(one.servers)} server{'s'[: len(one.servers) != 1]})"
        for one in services[:_SHOWN]
    )
    more = len(services) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _endpoint(key: str) -> tuple[str, int]:
    """A service's host and port; "" and 0 for one by fwmark."""
    try:
        return split_endpoint(split_key(key).target)
    except ValueError:
        return "", 0


def _canonical(host: str) -> str:
    """An address as the kernel's is written; other text stays."""
    try:
        return str(ip_address(host))
    except ValueError:
        return host


def _within(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:  # kube-proxy passes over it too (parseExcludedCIDRs)
        return False
