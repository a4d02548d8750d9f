"""A cluster as a testbed: what is done to it, in order.

It is looked at first and touched second. From then on everything can be undone
from the cluster's own journal: see restore.py.
"""

from collections.abc import Mapping, Sequence

from ipvsload.errors import TestbedError
from ipvsload.scenario.balancers import find
from ipvsload.testbed.base import ServiceSpec, ServiceUnderTest, SidecarPipe
from ipvsload.testbed.existing_testbed import ExistingTestbed
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes.cluster_capabilities import ALWAYS, refuse_weights
from ipvsload.testbed.kubernetes.cluster_hold import ClusterHold
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.cluster_run import ClusterRun
from ipvsload.testbed.kubernetes.cluster_session import ClusterSession
from ipvsload.testbed.kubernetes.examined_cluster import examine_cluster
from ipvsload.testbed.kubernetes.missing_balancers import missing_balancers


class KubernetesTestbed(ExistingTestbed):
    """The cluster of a kubeconfig; `tell` hears each step, `hz` is the rate of samples.

    `asked` are the balancers that will be used, as far as they are known.
    """

    has_samples = True

    def __init__(
        self, options: ClusterOptions, *, hz: float, tell: Tell, asked: Sequence[str] = ()
    ) -> None:
        super().__init__(ALWAYS)
        self._asked = asked
        self._options = options
        self._hz = hz
        self._tell = tell
        self._hold: ClusterHold | None = None
        self._session: ClusterSession | None = None
        self._run: ClusterRun | None = None
        self._runs = 0

    def start(self) -> None:
        """Look at the cluster, and touch nothing. Raises UsageError, TestbedError."""
        cluster = examine_cluster(self._options, self._tell)
        self._hold = ClusterHold(cluster)
        if cluster.fixed:
            self.lacks["scheduler"] = cluster.fixed
        if missing := missing_balancers(self._asked, cluster.proxy.lacks, {}):
            raise TestbedError("; ".join(f"{name}: {why}" for name, why in missing.items()))

    def wait_ready(self) -> None:
        """Take the cluster, and have a sidecar on every node."""
        if self._hold is None:
            raise TestbedError("the cluster has not been looked at")
        self._hold.take()
        self._session = ClusterSession(self._hold, self._hz)

    @property
    def kernel(self) -> dict[str, str]:
        """The kernel of the node that takes the load, and who took part."""
        cluster, sidecars = self._up.cluster, self._up.sidecars
        program = cluster.proxy.program.replace("-", "_")
        return {
            "release": str((sidecars.entry.hello or {}).get("kernel", "")),
            "provider": "node",
            "nodes": ", ".join(cluster.nodes),
            "balancing": ", ".join(node.name for node in sidecars.balancing),
            "reading": sidecars.entry.reading,
            program: self._proxy_version,
        }

    @property
    def _proxy_version(self) -> str:
        """The service proxy's own word; where it says none, the tag of its image."""
        return self._up.sidecars.entry.proxy_version or self._up.cluster.proxy.version

    def open_samples(self, hz: float) -> SidecarPipe:
        """All nodes' samples in one stream."""
        followers = self._up.sidecars.log_followers
        followers.open()
        return followers

    def connection_servers(self, clients: Sequence[tuple[str, int]]) -> list[str | None] | None:
        """What the nodes' connection tables said; waits for their next readings."""
        if not self._running.service.target.key:  # IPVS has no part in it
            return None
        return self._up.sidecars.connection_servers(clients)

    def release(self) -> None:
        """All of it: nothing here goes by itself."""
        self.close()

    def close(self) -> None:
        """Put the cluster back. Raises TestbedError with what to do where it cannot."""
        session = self._session
        try:
            if self._hold:
                self._hold.release(session.leftovers if session else None)
        finally:
            if session:
                session.sidecars.close()

    def missing_balancers(self, balancers: Sequence[str]) -> Mapping[str, str]:
        """What the service proxy and the lists of the nodes' modules say."""
        kernels = {node.name: node.schedulers for node in self._up.sidecars.nodes}
        proxy, version = self._up.cluster.proxy, self._proxy_version
        return missing_balancers(balancers, lambda one: proxy.lacks(one, version), kernels)

    def begin(self, spec: ServiceSpec) -> ServiceUnderTest:
        """Make fresh pods and a fresh service, as the kernel's tables show them."""
        refuse_weights(spec.weights)
        self._runs += 1
        self._run = ClusterRun(self._up, spec, self._runs)
        return self._run.service

    def set_balancer(self, balancer: str) -> None:
        """Have another of the service proxy; connections in the kernel's table stay."""
        if reason := self.lacks.get("scheduler"):
            raise TestbedError(reason)
        self._running.set_balancer(find(balancer))

    def add_server(self, weight: int) -> str:
        """Add a pod, and wait until it stands in the tables."""
        refuse_weights([weight])
        return self._running.add_server()

    def set_weight(self, address: str, weight: int) -> None:
        """Raise UsageError where it is not 1."""
        refuse_weights([weight])

    def remove_server(self, address: str) -> None:
        """Take its pod out of the Service; the table gives it nothing new."""
        self._running.remove_server(address)

    def end(self) -> None:
        """Remove the run's service and pods; the next run begins with none of its traces."""
        if self._run:
            self._run.end()
            self._run = None
        for node in self._up.sidecars.nodes:
            node.connections.clear()

    @property
    def _up(self) -> ClusterSession:
        if self._session is None:
            raise TestbedError("the sidecars are not up")
        return self._session

    @property
    def _running(self) -> ClusterRun:
        if self._run is None:
            raise TestbedError("no run has begun")
        return self._run
