"""The real servers of a run: the pods of a Deployment, and which are in the Service."""

from ipvsload.errors import TestbedError
from ipvsload.ipvs.keys import join_endpoint
from ipvsload.testbed.kubernetes import pods
from ipvsload.testbed.kubernetes.absent_nodes import AbsentNodes
from ipvsload.testbed.kubernetes.api import Object
from ipvsload.testbed.kubernetes.examined_cluster import ExaminedCluster
from ipvsload.testbed.kubernetes.manifests import deployment, service
from ipvsload.testbed.kubernetes.object_names import (
    JOINED,
    NAMESPACE,
    ROLE,
    RUN,
    SELECT_OURS,
    SERVERS,
    SERVICE,
)
from ipvsload.testbed.kubernetes.polling import gone, wait_for

_GONE_WITHIN = 60.0
_REPLACED = 10
"""Pods of a run that others are made for, at most: the cluster should know where it is no use."""


class ServerPods:
    """The Service and the pods of run number `run`."""

    def __init__(self, cluster: ExaminedCluster, run: int) -> None:
        self._api = cluster.api
        self._options = cluster.options
        self._run = run
        self._tell = cluster.tell
        self._name = f"{SERVERS}-{run}"
        self._replicas = 0
        self._absent = AbsentNodes(self._api)
        self._replaced = 0
        self._joined: set[str] = set()
        """Names of the pods that have been real servers."""

    def create(
        self, count: int, node_port: int | None, address: str | None, persistence: int = 0
    ) -> Object:
        """Create the Deployment and the Service (see `manifests.service`); returns the Service."""
        self._replicas = count
        made = deployment(self._options, self._run, count)
        self._api.create("deployments", made, NAMESPACE)
        wanted = service(self._options, self._run, node_port, address, persistence)
        return self._api.create("services", wanted, NAMESPACE)

    def add(self) -> None:
        """Ask for one more pod. Those that left the Service still count."""
        self._replicas += 1
        change = {"spec": {"replicas": self._replicas}}
        self._api.patch("deployments", self._name, change, NAMESPACE)

    def remove(self, address: str) -> None:
        """Take the pod with this address:port out of the Service; its process goes on."""
        for pod in self._pods():
            if self._address(pod) == address:
                change = {"metadata": {"labels": {JOINED: "no"}}}
                self._api.patch("pods", pods.name(pod), change, NAMESPACE)
                return
        raise TestbedError(f"no pod of this run has the address {address}")

    def delete(self) -> None:
        """Delete the Service first, so that kube-proxy removes it; then the pods."""
        self._api.delete("services", SERVICE, NAMESPACE)
        self._api.delete("deployments", self._name, NAMESPACE)
        removed = gone(self._api, "services", SERVICE, NAMESPACE)
        wait_for("the run's service to be gone", removed, _GONE_WITHIN, self._tell)

    def wait_ready(self, count: int) -> list[str]:
        """Wait until so many pods answer; returns their addresses, oldest first.

        Raises TestbedError with what they wait for.
        """
        ready: list[str] = []

        def missing() -> str | None:
            ready[:] = self._ready()
            if len(ready) >= count:
                return None
            return self._waiting() or f"{len(ready)} of {count} are ready"

        wait_for(f"{count} real servers", missing, pods.READY_WITHIN, self._tell)
        self._joined |= {pods.name(pod) for pod in self._pods() if pods.ready(pod)}
        return ready

    def _pods(self) -> list[Object]:
        """The run's pods that are not ending."""
        labels = f"{SELECT_OURS},{ROLE}=server,{RUN}={self._run}"
        return pods.present(self._api, NAMESPACE, labels)

    def _ready(self) -> list[str]:
        """Addresses of the pods that answer and are in the Service, oldest first."""
        found = [
            pod
            for pod in self._pods()
            if pods.ready(pod) and pod["metadata"]["labels"].get(JOINED) == "yes"
        ]
        found.sort(key=lambda pod: (str(pod["metadata"].get("creationTimestamp")), pods.name(pod)))
        return [self._address(pod) for pod in found]

    def _waiting(self) -> str:
        """What those that are not ready wait for.

        Raises TestbedError where one crashes on, or a real server's node is gone.
        """
        slow = [pod for pod in self._pods() if not pods.ready(pod)]
        gone = self._absent.among(filter(None, map(pods.node, slow)))
        for pod in slow:
            if why := gone.get(pods.node(pod)):
                self._replace(pod, why)
        crashed = "the real servers do not stay up"
        text = pods.waiting_for(self._api, self._name, slow, crashed)
        return text or (f"{len(slow)} pods are not ready yet" if slow else "")

    def _replace(self, pod: Object, why: str) -> None:
        """Have another pod made for one that never answered: its node is not there."""
        self._replaced += 1
        text = f"pod {pods.name(pod)} is on node {pods.node(pod)}, which is not there: {why}"
        if pods.name(pod) in self._joined:
            raise TestbedError(f"a real server is lost: {text}")
        if self._replaced > _REPLACED:
            raise TestbedError(f"the scheduler gives pods to a node again and again: {text}")
        self._tell(f"{text}; another one is made")
        self._api.delete("pods", pods.name(pod), NAMESPACE, grace_s=0)

    def _address(self, pod: Object) -> str:
        host = str(pod.get("status", {}).get("podIP") or "")
        return join_endpoint(host, self._options.port)
