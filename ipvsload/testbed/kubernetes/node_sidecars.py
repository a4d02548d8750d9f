"""The sidecars of a session: one on every node, beside the kernel's table."""

from collections.abc import Mapping, Sequence

from ipvsload.errors import TestbedError
from ipvsload.ipvs.keys import join_key
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import pods, sidecar_zipapp
from ipvsload.testbed.kubernetes.api import Api, Object
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.examined_cluster import ExaminedCluster
from ipvsload.testbed.kubernetes.log_followers import LogFollowers
from ipvsload.testbed.kubernetes.manifests import code, sidecar
from ipvsload.testbed.kubernetes.node_lines import NodeLines, NodeState
from ipvsload.testbed.kubernetes.object_names import NAMESPACE, ROLE, SIDECAR
from ipvsload.testbed.kubernetes.polling import wait_for
from ipvsload.testbed.kubernetes.session_services import SessionServices

_SPEAKS_WITHIN = 60.0


class NodeSidecars:
    """Sidecars that run and have spoken. Raises TestbedError where one does not.

    `log_followers` has what they say, all nodes in one stream.
    """

    def __init__(
        self,
        cluster: ExaminedCluster,
        options: ClusterOptions,
        services: SessionServices,
        hz: float,
        tell: Tell,
    ) -> None:
        self._tell = tell
        self._entry = cluster.entry
        self._all_balance = options.workload.service != "NodePort"
        _create(cluster.api, options, services, hz, tell)
        probes = services.probes
        found = _wait_for_pods(cluster.api, set(cluster.nodes), tell)
        self._lines = {
            name: NodeLines(name, (), join_key(*probes[name]), "") for name in cluster.nodes
        }
        self.log_followers = LogFollowers(cluster.api, found, self._lines, probes, cluster.entry)
        try:
            self._wait_for_words()
        except BaseException:
            self.close()
            raise

    @property
    def nodes(self) -> list[NodeState]:
        """What is known of every node now."""
        return [lines.node for lines in self._lines.values()]

    @property
    def entry(self) -> NodeState:
        """The node whose port takes the load."""
        return self._lines[self._entry].node

    @property
    def balancing(self) -> list[NodeState]:
        """The nodes that may take the load."""
        return self.nodes if self._all_balance else [self.entry]

    def follow(self, keys: Mapping[str, Sequence[str]]) -> str:
        """Take these keys, by node, for the service under test; returns its key in samples."""
        key = keys[self._entry][0]
        for name, lines in self._lines.items():
            lines.follow(keys[name], key)
        return key

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
            silent = [node for node in self.nodes if min(node.t, node.connections_t) < 0]
            if not silent:
                return None
            said = next((f"; it says: {node.stderr}" for node in silent if node.stderr), "")
            return f"nothing from {', '.join(node.name for node in silent)}{said}"

        wait_for("the sidecars to speak", missing, _SPEAKS_WITHIN, self._tell)


def _create(
    api: Api, options: ClusterOptions, services: SessionServices, hz: float, tell: Tell
) -> None:
    arguments = ["--hz", f"{hz:g}"]
    for endpoint in services.endpoints:
        arguments += ["--service", endpoint]
    if options.rootless:
        arguments += ["--source", "proc"]
    tell("starting the sidecar on every node")
    archive = sidecar_zipapp.archive(sidecar_zipapp.SIDECAR)
    api.create("configmaps", code(SIDECAR, archive), NAMESPACE)
    wanted = sidecar(SIDECAR, options.sidecar_image, arguments, rootless=options.rootless)
    api.create("daemonsets", wanted, NAMESPACE)


def _wait_for_pods(api: Api, nodes: set[str], tell: Tell) -> dict[str, str]:
    """The name of the running pod on each node."""
    found: dict[str, str] = {}

    def missing() -> str | None:
        present = _pods(api)
        found.clear()
        found.update({pods.node(pod): pods.name(pod) for pod in present if pods.running(pod)})
        without = nodes - set(found)
        if not without:
            return None
        waiting = [pod for pod in present if not pods.running(pod)]
        for pod in waiting:
            if pods.restarts(pod) > 1:
                words = pods.last_words(api, NAMESPACE, pod)
                raise TestbedError(f"the sidecar does not stay up: {words}")
        words = pods.words_of(api, NAMESPACE, waiting)
        if not (words or present):  # an admission refuses them
            words = pods.newest_event(api, NAMESPACE, lambda about: about == SIDECAR)
        return words or f"not yet on {', '.join(sorted(without))}"

    wait_for("the sidecar to run on every node", missing, pods.READY_WITHIN, tell)
    return {node: pod for node, pod in found.items() if node in nodes}


def _pods(api: Api) -> list[Object]:
    found = api.every("pods", NAMESPACE, f"{ROLE}={SIDECAR}")
    return [pod for pod in found if not pods.leaving(pod)]
