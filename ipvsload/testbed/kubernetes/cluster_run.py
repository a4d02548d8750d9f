"""The virtual service of one run: fresh pods, a fresh Service, and kube-proxy over them."""

from contextlib import nullcontext

from ipvsload.scenario import balancers
from ipvsload.scenario.balancers import Balancer
from ipvsload.testbed.base import ServiceSpec, ServiceUnderTest, Target
from ipvsload.testbed.kubernetes import node_tables
from ipvsload.testbed.kubernetes.cluster_session import ClusterSession
from ipvsload.testbed.kubernetes.server_pods import ServerPods


class ClusterRun:
    """Run `number` of a session, as the kernel's tables show it; `service` says where it is.

    Raises TestbedError where the cluster does not come to it.
    """

    def __init__(self, session: ClusterSession, spec: ServiceSpec, number: int) -> None:
        self._session = session
        self._balancer = _balancer(session, spec)
        services, sidecars = session.services, session.sidecars
        count = len(spec.weights)
        session.refuse_early(self._balancer)
        services.release_reserved()
        session.clear_tables()
        if not self._balancer.in_ipvs_table:
            session.leave_ipvs(self._balancer)
        self._pods = ServerPods(session.cluster, number)
        services.made.append(
            self._pods.create(
                count, services.node_port, services.cluster_ip, spec.settings.persistence
            )
        )
        self._present = self._pods.wait_ready(count)
        session.let_proxy_see_pods()
        with session.without_probe() if self._balancer.in_ipvs_table else nullcontext():
            session.switch(self._balancer)
            host, port, keys = services.under_test(session.cluster.entry)
            key = sidecars.follow(keys)
            self._wait_for_tables()
        session.warm(count)
        nodes = sidecars.balancing
        found = self._balancer.name or (nodes[0].service or {}).get("scheduler", "")
        if self._balancer.in_ipvs_table:
            self._present = node_tables.addresses(nodes[0])
        else:
            sidecars.follow_pods(self._present)
            key = key if sidecars.track() else ""
        self.service = ServiceUnderTest(
            Target(key, host, port),
            found,
            [(address, 1) for address in self._present],
            node_tables.connection_counts(nodes),
        )

    def set_balancer(self, balancer: Balancer) -> None:
        """Have another of the service proxy; connections in the kernel's table stay."""
        self._session.switch(balancer)
        self._balancer = balancer
        self._wait_for_tables()

    def add_server(self) -> str:
        """Add a pod, and wait until it stands in the tables. Returns its address."""
        self._pods.add()
        have = set(self._present)
        new = [one for one in self._pods.wait_ready(len(have) + 1) if one not in have]
        self._present += new
        if not self._balancer.in_ipvs_table:
            self._session.sidecars.follow_pods(self._present)
        self._wait_for_tables()
        return new[0]

    def remove_server(self, address: str) -> None:
        """Take a pod out of the Service and leave it running."""
        self._pods.remove(address)
        self._present.remove(address)
        if not self._balancer.in_ipvs_table:
            self._session.sidecars.follow_pods(self._present)
        self._wait_for_tables()

    def end(self) -> None:
        """Remove the Service and the pods."""
        self._session.sidecars.follow_pods(())
        self._pods.delete()

    def _wait_for_tables(self) -> None:
        node_tables.wait_for_tables(self._session, self._balancer, self._present)


def _balancer(session: ClusterSession, spec: ServiceSpec) -> Balancer:
    """What the run asks for; without a wish, what kube-proxy's mode is."""
    if not spec.balancer:
        by_mode = balancers.of_proxy_mode(session.sidecars.entry.proxy_mode)
        if by_mode:
            return by_mode
    return balancers.find(spec.balancer)
