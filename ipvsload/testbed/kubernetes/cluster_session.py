"""What all runs in a cluster share: its Services, its sidecars, and kube-proxy's switch."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ipvsload.errors import TestbedError
from ipvsload.scenario.balancers import Balancer
from ipvsload.testbed.kubernetes import proxies
from ipvsload.testbed.kubernetes.cluster_hold import ClusterHold
from ipvsload.testbed.kubernetes.foreign_watch import ForeignWatch
from ipvsload.testbed.kubernetes.leftover_services import LeftoverServices
from ipvsload.testbed.kubernetes.log_followers import reach
from ipvsload.testbed.kubernetes.node_sidecars import NodeSidecars
from ipvsload.testbed.kubernetes.polling import wait_for
from ipvsload.testbed.kubernetes.session_services import SessionServices

_WARM_WITHIN = 60.0
_CLEARED_WITHIN = 90.0
_SETTLE_WITHIN = 10.0
_CLEARED_WITHIN = 90.0
"""Seconds for the run before to leave the tables: a kube-router on a slow node took 30 s."""
_SYNC = 1.5
"""kube-proxy writes its rules once a second at most (iptables.minSyncPeriod)."""


class ClusterSession:
    """A cluster that this program has taken, with a sidecar on every node. Raises TestbedError."""

    def __init__(self, hold: ClusterHold, hz: float) -> None:
        self.cluster = hold.cluster
        self._hold = hold
        self._sample_s = 1 / hz
        self.services = SessionServices(self.cluster)
        self.sidecars = NodeSidecars(self.cluster, self.services, hz)
        self.leftovers = LeftoverServices(self.sidecars.nodes, self.services.made)
        self._foreign = ForeignWatch(self.cluster, self.sidecars.nodes)
        for node in self.sidecars.nodes:
            self.cluster.tell(self.cluster.proxy.running(node))

    def switch(self, balancer: Balancer) -> None:
        """Have this balancer used, with what kube-proxy may delete of others written down."""
        self._refuse_lacking(balancer)
        self._hold.keep(self._foreign.endangered(balancer))
        self._hold.switch(balancer)

    def refuse_early(self, balancer: Balancer) -> None:
        """Raise TestbedError where `switch` would, as far as is known without waiting."""
        self._refuse_lacking(balancer)
        self._foreign.endangered(balancer, fresh=False)

    def clear_tables(self) -> None:
        """Wait until the tables have nothing of the run before.

        A Service that is made sooner takes its virtual server over, and with it the
        servers of the run before: they stay with weight 0 while they have
        connections (seen with 1.36).
        """
        if not self.leftovers.wait_until_gone(
            self.cluster.tell, probe=False, within=_CLEARED_WITHIN
        ):
            program = self.cluster.proxy.program
            raise TestbedError(
                f"{program} does not take the service of the run before out of the nodes' tables;"
                f" what it says: kubectl -n kube-system logs -l k8s-app={program}"
            )

    def leave_ipvs(self, balancer: Balancer) -> None:
        """Switch from the IPVS mode to this balancer, with no service of ours in the tables.

        kube-proxy 1.20 would leave them there.
        """
        place = self.cluster.switchable
        config = place and proxies.configuration(self.cluster.api, place)
        if config and config.mode == "ipvs":
            self.services.withdraw_probe()
            self.leftovers.wait_until_gone(self.cluster.tell)
            self.switch(balancer)
            self.services.offer_probe()

    @contextmanager
    def without_probe(self) -> Iterator[None]:
        """Have no probe service meanwhile, so that an answer of it afterwards means something.

        kube-proxy in IPVS mode writes the table first, and the rules that its virtual
        servers need last: 1.36 took seconds in between on a slow node. What comes
        after the service under test has its rules later, or at the same time.
        """
        self.services.withdraw_probe()
        yield
        self.leftovers.wait_until_gone(self.cluster.tell, service=False)
        self.services.offer_probe()

    def let_proxy_see_pods(self) -> None:
        """Wait until kube-proxy knows the run's pods, where it is about to be replaced.

        One in iptables mode leaves its rules behind when it ends. Without the pods
        there is a rule that refuses a service without endpoints: seen with 1.20.
        """
        if self.cluster.switchable is None:
            return
        with suppress(TestbedError):  # it may be broken, and is about to be replaced
            what = "the present proxy to know the pods"
            wait_for(what, lambda: None if reach(self._probe) else "", _SETTLE_WITHIN)
        time.sleep(_SYNC)

    def warm(self, servers: int) -> None:
        """Make two connections for each real server. Raises TestbedError where there is no way."""
        host, port = self._probe
        left = 2 * servers

        def missing() -> str | None:
            nonlocal left
            while left and reach(self._probe):
                left -= 1
            return f"{host}:{port} does not answer" if left else None

        try:
            wait_for("the way to the real servers", missing, _WARM_WITHIN, self.cluster.tell)
        except TestbedError:
            if self.cluster.options.service == "NodePort":
                raise TestbedError(
                    f"this machine cannot reach port {port} of node {self.cluster.entry}"
                    f" ({host}), so it cannot send load there: run ipvsload where the nodes'"
                    " addresses are reachable, or in the cluster with --service ClusterIP"
                ) from None
        # Two samples more, so that these connections are not taken for a ping's.
        time.sleep(2 * self._sample_s + 0.3)

    def _refuse_lacking(self, balancer: Balancer) -> None:
        if reason := self.cluster.proxy.lacks(balancer):
            raise TestbedError(reason)

    @property
    def _probe(self) -> tuple[str, int]:
        return self.services.probes[self.cluster.entry]
