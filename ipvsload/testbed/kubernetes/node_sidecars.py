"""The sidecars of a session: one on every node, beside the kernel's table."""

import time
from collections import ChainMap
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from ipvsload.errors import TestbedError
from ipvsload.ipvs.keys import join_key
from ipvsload.testbed.kubernetes import pods, sidecar_zipapp
from ipvsload.testbed.kubernetes.absent_nodes import AbsentNodes
from ipvsload.testbed.kubernetes.examined_cluster import ExaminedCluster
from ipvsload.testbed.kubernetes.log_followers import LogFollowers
from ipvsload.testbed.kubernetes.manifests import code, sidecar
from ipvsload.testbed.kubernetes.node_lines import TRACKED, NodeState, next_readings
from ipvsload.testbed.kubernetes.object_names import NAMESPACE, ROLE, SIDECAR
from ipvsload.testbed.kubernetes.polling import wait_for
from ipvsload.testbed.kubernetes.session_services import SessionServices

_SPEAKS_WITHIN = 60.0
_READ_WITHIN = 6.0
_TRACKS_WITHIN = 5.0


class NodeSidecars:
    """Sidecars that run and have spoken. Raises TestbedError where one does not.

    A node that goes down meanwhile is left out, unless it may take the load.
    `log_followers` has what they say, all nodes in one stream.
    """

    def __init__(self, cluster: ExaminedCluster, services: SessionServices, hz: float) -> None:
        self._tell = cluster.tell
        _create(cluster, services, hz)
        probes = services.probes
        alone = cluster.options.service == "NodePort"
        required = {cluster.entry} if alone else set(cluster.nodes)
        found = _wait_for_pods(cluster, required)
        # In the cluster's order: sidecars start in any.
        there = [name for name in cluster.nodes if name in found]
        by_name = {name: NodeState(name, join_key(*probes[name])) for name in there}
        self.nodes = list(by_name.values())
        self.entry = by_name[cluster.entry]
        """The node whose port takes the load."""
        self.balancing = [node for node in self.nodes if node.name in required]
        """The nodes that may take the load."""
        self.log_followers = LogFollowers(
            cluster.api, found, by_name, probes, cluster.entry, required, cluster.tell
        )
        try:
            self._wait_for_words()
        except BaseException:
            self.close()
            raise

    def follow(self, keys: Mapping[str, Sequence[str]]) -> str:
        """Take these keys, by node, for the service under test; returns its key in samples."""
        key = keys[self.entry.name][0]
        for node in self.nodes:
            node.keys, node.key = keys[node.name], key
        return key

    def follow_pods(self, servers: Sequence[str]) -> None:
        """Have these servers, and those that have left, in samples where IPVS does not balance.

        Without any the run is over.
        """
        for node in self.nodes:
            before = dict.fromkeys(node.pods, False) if servers else {}
            node.pods = before | dict.fromkeys(servers, True)

    def track(self) -> bool:
        """Whether all nodes count connections without IPVS; says why where one does not."""
        deadline = time.monotonic() + _TRACKS_WITHIN
        read = next_readings(self.balancing)
        while time.monotonic() < deadline:
            if all(node.tracking not in ("", TRACKED) for node in self.balancing) or read():
                break
            time.sleep(0.05)
        for node in self.balancing:
            if node.tracking != TRACKED:
                why = node.tracking or "its sidecar does not say whether it tracks connections"
                self._tell(f"nothing counts connections on node {node.name}: {why}")
                return False
        return True

    def connection_servers(self, clients: Sequence[tuple[str, int]]) -> list[str | None] | None:
        """The real server of each connection; None where no node knows it.

        Waits for the nodes' next readings, for `_READ_WITHIN` seconds at most;
        None instead of the list where they did not come and a server is missing.
        """
        deadline = time.monotonic() + _READ_WITHIN
        read = next_readings(self.balancing)
        servers = ChainMap(*(node.connections for node in self.balancing))
        while not (read() or all(map(servers.get, clients)) or time.monotonic() > deadline):
            time.sleep(0.05)
        found = [servers.get(client) for client in clients]
        return found if read() or all(found) else None

    def check(self) -> None:
        """Raise TestbedError where a sidecar is lost."""
        if self.log_followers.failure:
            raise self.log_followers.failure

    def close(self) -> None:
        """Stop following them."""
        self.log_followers.close()

    def _wait_for_words(self) -> None:
        def missing() -> str | None:
            self.check()
            speak = [node for node in self.nodes if not node.lost]
            silent = [node for node in speak if node.t < 0 or not node.readings]
            if not silent:
                return None
            said = next((f"; it says: {node.stderr}" for node in silent if node.stderr), "")
            return f"nothing from {', '.join(node.name for node in silent)}{said}"

        wait_for("the sidecars to speak", missing, _SPEAKS_WITHIN, self._tell)


def _create(cluster: ExaminedCluster, services: SessionServices, hz: float) -> None:
    arguments = ["--hz", f"{hz:g}"]
    for endpoint in services.endpoints:
        arguments += ["--service", endpoint]
    options = cluster.options
    if cluster.proxy.config:
        arguments += ["--proxy-status", cluster.proxy.config.status_endpoint()]
    if options.rootless:
        arguments += ["--source", "proc"]
    cluster.tell("starting the sidecar on every node")
    archive = sidecar_zipapp.archive(sidecar_zipapp.SIDECAR)
    cluster.api.create("configmaps", code(SIDECAR, archive), NAMESPACE)
    image = options.sidecar_image
    wanted = sidecar(SIDECAR, image, arguments, rootless=options.rootless, modules=True)
    cluster.api.create("daemonsets", wanted, NAMESPACE)


def _wait_for_pods(cluster: ExaminedCluster, required: AbstractSet[str]) -> dict[str, str]:
    """The name of the running pod on each node that is there.

    Raises TestbedError where one of the required nodes is not.
    """
    found: dict[str, str] = {}
    absent = AbsentNodes(cluster.api, cluster.tell)

    def missing() -> str | None:
        present = pods.present(cluster.api, NAMESPACE, f"{ROLE}={SIDECAR}")
        running = {pods.node(pod): pods.name(pod) for pod in present if pods.running(pod)}
        found.update({node: pod for node, pod in running.items() if node in cluster.nodes})
        without = cluster.nodes.keys() - running
        gone = absent.among(without)
        for node in required & gone.keys():
            raise TestbedError(f"node {node}, which may take the load, is not there: {gone[node]}")
        without -= gone.keys()
        if not without:
            return None
        waiting = [pod for pod in present if pods.node(pod) in without and not pods.running(pod)]
        crashed = "the sidecar does not stay up"
        words = pods.waiting_for(cluster.api, SIDECAR, waiting, crashed)
        return words or f"not yet on {', '.join(sorted(without))}"

    wait_for("the sidecar to run on every node", missing, pods.READY_WITHIN, cluster.tell)
    return found
