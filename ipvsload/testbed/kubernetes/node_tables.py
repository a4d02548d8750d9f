"""Whether the kernel's tables on the nodes are as wanted, and why they are not.

Believed is the table alone. That a pod is Ready or a ConfigMap says so proves
nothing: up to 1.26 or so kube-proxy went on with iptables without a word, and
left the virtual servers of before where they were.
"""

from collections.abc import Iterable, Mapping, Sequence

from ipvsload.ipvs.ipvsadm import removal
from ipvsload.testbed.balancers import Balancer, of_proxy_mode
from ipvsload.testbed.kubernetes.node_lines import Node
from ipvsload.testbed.kubernetes.proxies import Reason


def addresses(node: Node) -> list[str]:
    """The real servers that take new connections, in the order of joining.

    The kernel puts a new one at the head of its list (__ip_vs_update_dest,
    ip_vs_ctl.c) and dumps the list from there.
    """
    rows = node.service["servers"] if node.service else []
    return [row[0] for row in reversed(rows) if row[1] > 0]


def lacking(nodes: Iterable[Node], balancer: Balancer, servers: Sequence[str]) -> str | None:
    """What these nodes' tables still lack; None where all is there.

    `servers` are wanted, and no others. A balancer that is not in the IPVS table
    wants the service to be out of it.
    """
    for node in nodes:
        if not balancer.in_ipvs_table:
            if node.service is not None:
                return f"node {node.name} still has the service in its IPVS table"
            if node.proxy_mode and node.proxy_mode != balancer.proxy_mode:
                return f"kube-proxy on {node.name} reports mode {node.proxy_mode}"
            continue
        if node.service is None:
            return f"the table of node {node.name} does not have the service"
        if balancer.name not in ("", node.service["scheduler"]):
            return f"node {node.name} still balances by {node.service['scheduler']}"
        have = addresses(node)
        if set(have) != set(servers):
            return f"the table of node {node.name} has {len(have)} of {len(servers)} servers"
    return None


def failure(nodes: Iterable[Node], balancer: Balancer, reasons: Mapping[str, Reason]) -> str:
    """Why kube-proxy does not do it, for people; "" where nothing tells."""
    for node in nodes:
        reason = reasons.get(node.name, Reason(False, ""))
        if reason.down:
            return f"kube-proxy on node {node.name} does not stay up: {reason.why}"
        if balancer.in_ipvs_table and (of_proxy_mode(node.proxy_mode) or reason.fallback):
            why = f": {reason.why}" if reason.why else ""
            text = (
                f"kube-proxy on node {node.name} has fallen back to"
                f" {node.proxy_mode or 'iptables'}{why}"
            )
            if node.service is not None:
                text += (
                    "; the virtual servers that are still in the table are stale: nobody keeps"
                    " them up to date"
                )
            return text + " (ipvsload doctor --testbed kubernetes says what is missing)"
        if not balancer.in_ipvs_table and node.service is not None:
            return (
                f"virtual servers of the IPVS mode are left on node {node.name} and still take the"
                f" traffic; they go with, on that node: {removal(node.service['key'])}"
            )
        if reason.why:
            return f"kube-proxy on node {node.name} says: {reason.why}"
        if node.reading and node.reading not in ("netlink", "proc"):
            return f"the sidecar on node {node.name} cannot read the table: {node.reading}"
    return ""
