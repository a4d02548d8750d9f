"""What all runs in a cluster share: its Services, its sidecars, and kube-proxy's switch."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from ipvsload.errors import TestbedError
from ipvsload.testbed.balancers import Balancer
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import proxies, reachability
from ipvsload.testbed.kubernetes.cluster_hold import ClusterHold
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.examined_cluster import ExaminedCluster
from ipvsload.testbed.kubernetes.leftover_services import LeftoverServices
from ipvsload.testbed.kubernetes.node_sidecars import NodeSidecars
from ipvsload.testbed.kubernetes.node_tables import wait_for_tables
from ipvsload.testbed.kubernetes.proxies import Reason
from ipvsload.testbed.kubernetes.session_services import SessionServices


class ClusterSession:
    """A cluster that this program has taken, with a sidecar on every node. Raises TestbedError."""

    def __init__(
        self,
        cluster: ExaminedCluster,
        hold: ClusterHold,
        options: ClusterOptions,
        hz: float,
        tell: Tell,
    ) -> None:
        self.cluster = cluster
        self.workload = options.workload
        self.tell = tell
        self._hold = hold
        self._keep_proxy = options.keep_proxy
        self._sample_s = 1 / hz
        self.services = SessionServices(cluster.api, options.workload, cluster.nodes, tell)
        self.sidecars = NodeSidecars(cluster, options, self.services, hz, tell)
        self.leftovers = LeftoverServices(lambda: self.sidecars.nodes, self.services.made)

    def switch(self, balancer: Balancer) -> None:
        """Have kube-proxy use this balancer, if it can be switched and one is wanted."""
        if balancer.name and not self.cluster.fixed:
            self._hold.switch(balancer)

    def leave_ipvs(self, balancer: Balancer) -> None:
        """Switch from the IPVS mode to this balancer, with no service of ours in the tables.

        kube-proxy 1.20 would leave them there.
        """
        config = None if self.cluster.fixed else proxies.configuration(self.cluster.api)
        if config is not None and config.mode == "ipvs":
            self.services.withdraw_probe()
            self.leftovers.wait_until_gone(self.tell)
            self.switch(balancer)
            self.services.offer_probe()

    def let_proxy_see_pods(self) -> None:
        """Wait until kube-proxy knows the run's pods, where it is about to be replaced."""
        if not self.cluster.fixed:
            reachability.settle(self._probe)

    def wait_for_tables(self, balancer: Balancer, servers: Sequence[str]) -> None:
        """Wait until the kernels balance over these servers in this way.

        Raises TestbedError with what kube-proxy says where they do not come to it.
        """
        wait_for_tables(self.sidecars, balancer, servers, self._reasons, self.tell)

    def warm(self, servers: int) -> None:
        """Use the way to every real server once. Raises TestbedError where there is none."""
        host, port = self._probe
        reached = reachability.warm((host, port), servers, self.tell)
        if not reached and self.workload.service == "NodePort":
            raise TestbedError(
                f"this machine cannot reach port {port} of node {self.cluster.entry}"
                f" ({host}), so it cannot send load there: run ipvsload where the nodes'"
                " addresses are reachable, or in the cluster with --service ClusterIP"
            )
        # Two samples more, so that these connections are not taken for a ping's.
        time.sleep(2 * self._sample_s + 0.3)

    @property
    def _probe(self) -> tuple[str, int]:
        return self.services.probes[self.cluster.entry]

    def _reasons(self) -> Mapping[str, Reason]:
        if not self._keep_proxy:
            with suppress(TestbedError):
                return dict(proxies.reasons(self.cluster.api))
        return {}
