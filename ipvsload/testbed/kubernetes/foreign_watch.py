"""Looks in a session's nodes for virtual servers that a switch of kube-proxy would delete."""

from collections.abc import Sequence
from contextlib import suppress

from ipvsload.errors import TestbedError
from ipvsload.ipvs.saved_services import SavedService
from ipvsload.scenario import balancers
from ipvsload.scenario.balancers import Balancer
from ipvsload.testbed.kubernetes.examined_cluster import ExaminedCluster
from ipvsload.testbed.kubernetes.foreign_services import (
    Kept,
    deleted_by,
    explain,
    refusal,
)
from ipvsload.testbed.kubernetes.node_lines import NodeState, next_readings
from ipvsload.testbed.kubernetes.polling import wait_for

_READ_WITHIN = 6.0


class ForeignWatch:
    """What is told of `nodes` by their sidecars, against the cluster's Services."""

    def __init__(self, cluster: ExaminedCluster, nodes: Sequence[NodeState]) -> None:
        self._cluster = cluster
        self._nodes = nodes
        config = cluster.proxy.config
        self._excluded = config.exclude_cidrs if config else ()
        before = balancers.of_proxy_mode(config.mode or "iptables") if config else None
        self._before = before or Balancer("")
        """What the cluster goes back to at the end; of the IPVS mode any."""

    def endangered(self, balancer: Balancer, *, fresh: bool = True) -> Kept:
        """What a switch to this balancer, and the way back, would delete on each node.

        With `fresh`, waits for the nodes' next readings. Raises TestbedError
        where the run may not delete them, or they are too many to be kept.
        """
        if not balancer.name or self._cluster.switchable is None:
            return {}
        there = [node for node in self._nodes if not node.lost]
        risks = {node.name: self._risks(balancer, node) for node in there}
        nodes = [node for node in there if risks[node.name]]
        if nodes and fresh:
            read = next_readings(nodes)
            with suppress(TestbedError):  # a node that has nothing new to say
                wait_for("the nodes' tables", lambda: None if read() else "", _READ_WITHIN)
        suspects = {node.name: self._suspects(node, risks[node.name]) for node in nodes}
        if not any(suspects.values()):
            return {}
        known = explain(self._cluster.api.every("services"))
        found = {
            node.name: tuple(
                one for one in suspects[node.name] if not known.covers(one.key, node.addresses)
            )
            for node in nodes
        }
        found = {node: services for node, services in found.items() if services}
        if found and not self._cluster.options.allow_deleting_virtual_servers:
            modes = (
                risk.proxy_mode
                for node in found
                for risk in risks[node]
                if any(deleted_by(risk, one.key, self._excluded) for one in found[node])
            )
            raise TestbedError(refusal(found, dict.fromkeys(modes)))
        for node in nodes:
            if node.more:
                raise TestbedError(
                    f"node {node.name} has {node.more} virtual servers more than can be kept"
                    f" beside {len(node.others)} others, and kube-proxy may not have made them"
                )
        return found

    def _risks(self, balancer: Balancer, node: NodeState) -> list[Balancer]:
        """With which of them something is lost on this node: in its present mode nothing is."""
        there = [] if node.proxy_mode == balancer.proxy_mode else [balancer]
        back = [] if self._before.proxy_mode == balancer.proxy_mode else [self._before]
        return [*there, *back]

    def _suspects(self, node: NodeState, risks: Sequence[Balancer]) -> list[SavedService]:
        return [
            one
            for one in node.others
            if any(deleted_by(risk, one.key, self._excluded) for risk in risks)
        ]
