"""The Services that outlive a single run: a reserved port, and the probe.

A sidecar reads only the virtual services that it was told of. So the cluster
chooses the port of the service under test before the sidecars start, and every
run's Service takes that port again.
"""

from ipvsload.ipvs.keys import join_endpoint, join_key
from ipvsload.testbed.kubernetes import pods
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.examined_cluster import ExaminedCluster
from ipvsload.testbed.kubernetes.manifests import probe_service, service
from ipvsload.testbed.kubernetes.object_names import NAMESPACE, PROBE, SERVICE
from ipvsload.testbed.kubernetes.polling import gone, wait_for

_GONE_WITHIN = 30.0


class SessionServices:
    """`node_port` and `cluster_ip` belong to every run's Service; None where it has none.

    `made` are all Services of the session, as the cluster made them; runs add
    theirs.
    """

    def __init__(self, cluster: ExaminedCluster) -> None:
        self._api = cluster.api
        self._options = cluster.options
        self._nodes = cluster.nodes
        self._tell = cluster.tell
        in_cluster = cluster.options.service == "ClusterIP"
        wanted = ClusterOptions(service="ClusterIP" if in_cluster else "NodePort")
        reserved = self._api.create("services", service(wanted, 0, None, None), NAMESPACE)
        self._reserved = True
        self.node_port: int | None = reserved["spec"]["ports"][0].get("nodePort")
        self.cluster_ip: str | None = reserved["spec"]["clusterIP"] if in_cluster else None
        self.made = [reserved]
        self._probe_port: int | None = None
        self._probe_port = self.offer_probe()

    @property
    def endpoints(self) -> list[str]:
        """What the sidecars are to read: the service under test and the probe."""
        under_test = (
            f":{self.node_port}" if self.cluster_ip is None else join_endpoint(self.cluster_ip, 80)
        )
        return [under_test, f":{self._probe_port}"]

    @property
    def probes(self) -> dict[str, tuple[str, int]]:
        """Address and port of the probe service on each node."""
        return {name: (address, self._probe_port or 0) for name, address in self._nodes.items()}

    def release_reserved(self) -> None:
        """Give the reserved port back, for the first run's Service to take it."""
        if self._reserved:
            self._delete(SERVICE, "the reserved port to be free")
            self._reserved = False

    def offer_probe(self) -> int:
        """Make the probe service, on the port that it had before; returns the port."""
        wanted = probe_service(self._options.port, self._probe_port)
        probe = self._api.create("services", wanted, NAMESPACE)
        self.made.append(probe)
        return int(probe["spec"]["ports"][0]["nodePort"])

    def withdraw_probe(self) -> None:
        """Take the probe service away."""
        self._delete(PROBE, "the probe service to be gone")

    def under_test(self, entry: str) -> tuple[str, int, dict[str, list[str]]]:
        """Where the load goes to, now that the run's Service stands.

        (host, port, the keys that the service has in the table of each node).
        `entry` is the node whose port takes the load.
        """
        port = self.node_port or 80
        keys = {name: [join_key(address, port)] for name, address in self._nodes.items()}
        host = self._nodes[entry]
        if self.cluster_ip is not None:
            host, port = self.cluster_ip, 80
            keys = {name: [join_key(host, port)] for name in self._nodes}
        elif self._options.service == "LoadBalancer":
            host = self._load_balancer()
            keys = {name: [join_key(host, port), *found] for name, found in keys.items()}
        return host, port, keys

    def _delete(self, name: str, awaited: str) -> None:
        self._api.delete("services", name, NAMESPACE)
        removed = gone(self._api, "services", name, NAMESPACE)
        wait_for(awaited, removed, _GONE_WITHIN, self._tell)

    def _load_balancer(self) -> str:
        found: list[str] = []

        def missing() -> str | None:
            status = self._api.get("services", SERVICE, NAMESPACE).get("status", {})
            ingress = (status.get("loadBalancer") or {}).get("ingress") or []
            found.extend(one.get("ip") or one.get("hostname") or "" for one in ingress)
            return None if any(found) else "it has no address yet"

        wait_for("the load balancer's address", missing, pods.READY_WITHIN, self._tell)
        return next(one for one in found if one)
