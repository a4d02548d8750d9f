"""Whether the kernel's tables on the nodes are as wanted, and why they are not.

Trust only the kernel's table. A pod that is Ready or a ConfigMap that was
changed proves nothing: up to about 1.26, kube-proxy went on with iptables
without a word, and left the earlier virtual servers where they were.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from ipvsload.errors import TestbedError
from ipvsload.ipvs.ipvsadm import removal
from ipvsload.ipvs.table import RealServer, by_address
from ipvsload.scenario.balancers import Balancer, of_proxy_mode
from ipvsload.testbed.kubernetes.cluster_session import ClusterSession
from ipvsload.testbed.kubernetes.examined_cluster import ExaminedCluster
from ipvsload.testbed.kubernetes.node_lines import NodeState
from ipvsload.testbed.kubernetes.polling import wait_for
from ipvsload.testbed.kubernetes.proxies import Reason
from ipvsload.testbed.kubernetes.service_proxy import ServiceProxy

_TABLE_WITHIN = 90.0
_DIAGNOSE_AFTER = 12.0
"""Seconds between two looks at kube-proxy's own words."""


def wait_for_tables(session: ClusterSession, balancer: Balancer, servers: Sequence[str]) -> None:
    """Wait until the balancing nodes' tables have these servers, balanced in this way.

    Raises TestbedError with what kube-proxy says where they do not come to it:
    at once where waiting longer would not help.
    """
    nodes, proxy = session.sidecars.balancing, session.cluster.proxy
    asked = time.monotonic()

    def missing() -> str | None:
        nonlocal asked
        session.sidecars.check()
        found = lacking(nodes, balancer, servers) or _differing(nodes, proxy)
        if session.cluster.fixed and (own := other_balancer(nodes, balancer)):
            raise TestbedError(f"{own}, and {session.cluster.fixed}")
        if found and time.monotonic() - asked > _DIAGNOSE_AFTER:
            asked = time.monotonic()
            told = failure(nodes, balancer, _reasons(session.cluster), proxy.program)
            if "fallen back" in told or "does not stay up" in told:
                raise TestbedError(told)
        return found

    what = f"the kernel's tables to show {balancer.name or 'the service'}"
    try:
        wait_for(what, missing, _TABLE_WITHIN, session.cluster.tell)
    except TestbedError as error:
        told = failure(nodes, balancer, _reasons(session.cluster), proxy.program)
        if not told or told in str(error):
            raise
        raise TestbedError(f"{error}; {told}") from None


def _reasons(cluster: ExaminedCluster) -> Mapping[str, Reason]:
    """What the service proxy says went wrong, by node, as far as this user may ask."""
    if not cluster.options.keep_proxy:
        with suppress(TestbedError):
            return cluster.proxy.reasons(cluster.api)
    return {}


def _differing(nodes: Iterable[NodeState], proxy: ServiceProxy) -> str | None:
    """What of the service in a node's table is not as the proxy was told; None if nothing."""
    for node in nodes:
        if found := proxy.differs(node):
            return f"on node {node.name} {found}"
    return None


def addresses(node: NodeState) -> list[str]:
    """The real servers that take new connections, in the order of joining.

    The kernel puts a new one at the head of its list (__ip_vs_update_dest,
    ip_vs_ctl.c) and dumps the list from there.
    """
    rows = node.service["servers"] if node.service else []
    return [row[0] for row in reversed(rows) if row[1] > 0]


def connection_counts(nodes: Iterable[NodeState]) -> dict[str, int]:
    """What the kernels have counted for each real server, all nodes together."""
    rows = (row for node in nodes if node.service for row in node.service["servers"])
    return {one.address: one.conns for one in by_address(RealServer(*row) for row in rows).values()}


def lacking(nodes: Iterable[NodeState], balancer: Balancer, servers: Sequence[str]) -> str | None:
    """What these nodes' tables still lack; None where they are as wanted.

    They must have `servers` and no others; for a balancer that works without
    IPVS they must not have the service at all.
    """
    for node in nodes:
        if not balancer.in_ipvs_table:
            if _in_ipvs(node):
                return f"node {node.name} still has the service in its IPVS table"
            # It takes the rules of another mode away before it answers, so that these
            # are not taken for its own.
            if node.proxy_answers and node.proxy_mode != balancer.proxy_mode:
                return f"kube-proxy on {node.name} reports mode {node.proxy_mode or 'none yet'}"
            continue
        if node.service is None:
            return f"the table of node {node.name} does not have the service"
        if balancer.name not in ("", node.service["scheduler"]):
            return f"node {node.name} still balances by {node.service['scheduler']}"
        have = addresses(node)
        if set(have) != set(servers):
            return f"the table of node {node.name} has {len(have)} of {len(servers)} servers"
    return None


def _in_ipvs(node: NodeState) -> bool:
    """Whether it is IPVS that has the service; else connection tracking shows it."""
    return node.service is not None and not of_proxy_mode(node.service["scheduler"])


def other_balancer(nodes: Iterable[NodeState], balancer: Balancer) -> str:
    """Which other balancer these nodes have; "" where none is known."""
    for node in nodes:
        mode = node.proxy_mode or ("ipvs" if node.service else "")
        if mode and mode != balancer.proxy_mode:
            return f"kube-proxy on node {node.name} runs {mode}"
        scheduler = (node.service or {}).get("scheduler", "")
        if balancer.in_ipvs_table and scheduler and balancer.name not in ("", scheduler):
            return f"node {node.name} balances by {scheduler}"
    return ""


def failure(
    nodes: Iterable[NodeState], balancer: Balancer, reasons: Mapping[str, Reason], program: str
) -> str:
    """Why the service proxy does not do it, in words for people; "" where nothing says."""
    for node in nodes:
        reason = reasons.get(node.name, Reason(False, ""))
        if reason.down:
            return f"{program} on node {node.name} does not stay up: {reason.why}"
        if balancer.in_ipvs_table and (of_proxy_mode(node.proxy_mode) or reason.fallback):
            why = f": {reason.why}" if reason.why else ""
            text = (
                f"kube-proxy on node {node.name} has fallen back to"
                f" {node.proxy_mode or 'iptables'}{why}"
            )
            if _in_ipvs(node):
                text += (
                    "; the virtual servers that are still in the table are stale: nobody keeps"
                    " them up to date"
                )
            return text + " (ipvsload doctor --testbed kubernetes says what is missing)"
        if not balancer.in_ipvs_table and node.service and _in_ipvs(node):
            return (
                f"virtual servers of the IPVS mode are left on node {node.name} and still take the"
                f" traffic; they go with, on that node: {removal(node.service['key'])}"
            )
        if reason.why:
            return f"{program} on node {node.name} says: {reason.why}"
        if node.reading and node.reading not in ("netlink", "proc"):
            return f"the sidecar on node {node.name} cannot read the table: {node.reading}"
    return ""
