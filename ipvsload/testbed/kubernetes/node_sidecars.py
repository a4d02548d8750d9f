"""The sidecars of a session: one a node, from the first port that is known to the last line.

The sidecar reads only services that it was told of, so the port of the service
under test is had from the cluster first, and every run's service takes it again.
"""

from collections.abc import Mapping

from ipvsload.errors import TestbedError
from ipvsload.ipvs.keys import join_endpoint, join_key
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import pods
from ipvsload.testbed.kubernetes import sidecar_zipapp as carry
from ipvsload.testbed.kubernetes.api import Api, Object
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.log_followers import Address, Followers
from ipvsload.testbed.kubernetes.manifests import (
    ServerWorkload,
    code,
    probe_service,
    service,
    sidecar,
)
from ipvsload.testbed.kubernetes.node_lines import NodeLines
from ipvsload.testbed.kubernetes.object_names import NAMESPACE, PROBE, ROLE, SERVICE, SIDECAR
from ipvsload.testbed.kubernetes.polling import wait_for

_GONE_WITHIN = 30.0
_SPEAKS_WITHIN = 60.0


class Watchers:
    """Sidecars on `nodes` (addresses by name); `entry` is the one that takes the load.

    `node_port` and `cluster_ip` are what every run's service has, `probes` the
    nodes' addresses of the probe service, `key` the service's name in samples.
    """

    def __init__(
        self,
        api: Api,
        options: ClusterOptions,
        nodes: Mapping[str, str],
        entry: str,
        hz: float,
        tell: Tell,
    ) -> None:
        self._api = api
        self._options = options
        self._nodes = nodes
        self._entry = entry
        self._hz = hz
        self._tell = tell
        self._lines: dict[str, NodeLines] = {}
        self._reserved = False
        self._probe: int | None = None
        self.node_port: int | None = None
        self.cluster_ip: str | None = None
        self.probes: dict[str, Address] = {}
        self.key = ""
        self.followers: Followers | None = None
        self.made: list[Object] = []
        """Services of the session, as the cluster made them."""

    def up(self, within: float) -> None:
        """Make them, and wait `within` seconds until each has spoken. Raises TestbedError."""
        self._reserve()
        options, balanced = self._options, self._options.workload.service == "ClusterIP"
        ours = join_endpoint(str(self.cluster_ip), 80) if balanced else f":{self.node_port}"
        arguments = ["--hz", f"{self._hz:g}", "--service", ours, "--service", f":{self._probe}"]
        if options.rootless:
            arguments += ["--source", "proc"]
        self._tell("starting the sidecar on every node")
        archive = carry.archive(carry.SIDECAR)
        self._api.create("configmaps", code(SIDECAR, archive), NAMESPACE)
        made = sidecar(SIDECAR, options.sidecar_image, arguments, rootless=options.rootless)
        self._api.create("daemonsets", made, NAMESPACE)
        found = self._await_pods(within)
        self._lines = {
            name: NodeLines(name, (), join_key(*self.probes[name]), "") for name in self._nodes
        }
        self.followers = Followers(self._api, found, self._lines, self.probes, self._entry)
        self._await_words()

    def release(self) -> None:
        """Give the reserved port back, for the first run's service to take it."""
        if not self._reserved:
            return
        self._delete_service(SERVICE, "the reserved port to be free")
        self._reserved = False

    def offer_probe(self) -> None:
        """The probe service, again on the port that it had."""
        wanted = probe_service(self._options.workload, self._probe)
        probe = self._api.create("services", wanted, NAMESPACE)
        self._probe = int(probe["spec"]["ports"][0]["nodePort"])
        self.made.append(probe)

    def withdraw_probe(self) -> None:
        """No service of the session is left, so that kube-proxy can go from the IPVS mode."""
        self._delete_service(PROBE, "the probe service to be gone")

    def _delete_service(self, name: str, awaited: str) -> None:
        self._api.delete("services", name, NAMESPACE)
        wait_for(
            awaited,
            lambda: "" if self._api.find("services", name, NAMESPACE) else None,
            _GONE_WITHIN,
            self._tell,
        )

    def aim(self, api: Api, within: float) -> tuple[str, int]:
        """Where the load goes to, now that the run's service stands; (host, port)."""
        kind = self._options.workload.service
        port = self.node_port or 80
        keys = {name: [join_key(address, port)] for name, address in self._nodes.items()}
        host = self._nodes[self._entry]
        if kind == "ClusterIP":
            host, port = str(self.cluster_ip), 80
            keys = {name: [join_key(host, port)] for name in self._nodes}
        elif kind == "LoadBalancer":
            host = self._load_balancer(api, within)
            keys = {name: [join_key(host, port), *found] for name, found in keys.items()}
        self.key = keys[self._entry][0]
        for name, lines in self._lines.items():
            lines.aim(keys[name], self.key)
        return host, port

    def close(self) -> None:
        """Stop following."""
        if self.followers:
            self.followers.close()

    def _reserve(self) -> None:
        """Ports for the session: the cluster chooses."""
        kind = self._options.workload.service
        wanted = ServerWorkload(service="ClusterIP" if kind == "ClusterIP" else "NodePort")
        made = self._api.create("services", service(wanted, 0, None, None), NAMESPACE)
        self._reserved = True
        self.node_port = made["spec"]["ports"][0].get("nodePort")
        if kind == "ClusterIP":
            self.cluster_ip = made["spec"]["clusterIP"]
        self.made.append(made)
        self.offer_probe()
        self.probes = {name: (address, self._probe or 0) for name, address in self._nodes.items()}

    def _await_pods(self, within: float) -> dict[str, str]:
        found: dict[str, str] = {}

        def look() -> str | None:
            all_pods = self._pods()
            found.clear()
            found.update({pods.node(p): pods.name(p) for p in all_pods if pods.running(p)})
            missing = set(self._nodes) - set(found)
            if not missing:
                return None
            waiting = [pod for pod in all_pods if not pods.running(pod)]
            for pod in waiting:
                if pods.restarts(pod) > 1:
                    words = pods.last_words(self._api, NAMESPACE, pod)
                    raise TestbedError(f"the sidecar does not stay up: {words}")
            words = pods.words_of(self._api, NAMESPACE, waiting)
            if not (words or all_pods):  # an admission refuses them
                words = pods.newest_event(self._api, NAMESPACE, lambda about: about == SIDECAR)
            return words or f"not yet on {', '.join(sorted(missing))}"

        wait_for("the sidecar to run on every node", look, within, self._tell)
        return {name: pod for name, pod in found.items() if name in self._nodes}

    def _await_words(self) -> None:
        def look() -> str | None:
            assert self.followers
            if self.followers.failure:
                raise self.followers.failure
            silent = [
                node for node in self.followers.nodes.values() if min(node.t, node.placed_t) < 0
            ]
            if not silent:
                return None
            said = next((f"; it says: {node.said}" for node in silent if node.said), "")
            return f"nothing from {', '.join(node.name for node in silent)}{said}"

        wait_for("the sidecars to speak", look, _SPEAKS_WITHIN, self._tell)

    def _pods(self) -> list[Object]:
        found = self._api.every("pods", NAMESPACE, f"{ROLE}={SIDECAR}")
        return [pod for pod in found if not pods.leaving(pod)]

    def _load_balancer(self, api: Api, within: float) -> str:
        found: list[str] = []

        def look() -> str | None:
            status = api.get("services", SERVICE, NAMESPACE).get("status", {})
            ingress = (status.get("loadBalancer") or {}).get("ingress") or []
            found.extend(one.get("ip") or one.get("hostname") or "" for one in ingress)
            return None if any(found) else "it has no address yet"

        wait_for("the load balancer's address", look, within, self._tell)
        return next(one for one in found if one)
