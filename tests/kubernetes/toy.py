"""API server, kubelet and proxy put together: a cluster of nodes on loopback."""

import copy
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from ipvsload.sidecar.put_back import FILE
from ipvsload.testbed.kubernetes.api import ApiError, Object
from ipvsload.testbed.kubernetes.manifests import ARCHIVE
from ipvsload.testbed.kubernetes.object_names import EXAMINER, RESTORER, ROLE
from ipvsload.testbed.kubernetes.proxy_config import read
from ipvsload.testbed.kubernetes.proxy_daemon_set import KUBEADM, ConfigPlace
from tests.kubernetes.apiserver import Cluster
from tests.kubernetes.cluster_objects import proxy_config_map, proxy_daemon_set
from tests.kubernetes.kubelet import Crash, Kubelet, Log
from tests.kubernetes.proxy_sim import Proxy
from tests.patience import HUNG_AFTER_S

NODE = "node1"
AHEAD = 5_000_000_000
"""Each node's clock is so many ns ahead of the one before it."""


class ProxyPod:
    """A pod's program that runs here in a thread; what Kubelet expects of one."""

    def __init__(self, proxy: Proxy, config: str, log: Log) -> None:
        self._stopped = proxy.start(config, log)

    def stop(self) -> None:
        self._stopped.set()


class Direct:
    """The kubelet's way to the store: not over HTTP, so no fault of a test's hits it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def every(self, kind: str) -> list[dict[str, Any]]:
        with self._cluster.lock:
            found = [body for key, body in self._cluster.objects.items() if key[0] == kind]
            return copy.deepcopy(found)

    def get(self, kind: str, name: str, namespace: str) -> dict[str, Any]:
        with self._cluster.lock:
            found = self._cluster.objects.get((kind, namespace, name))
        if found is None:
            raise ApiError(f"no {kind} {name}", 404)
        return copy.deepcopy(found)

    def _json(self, method: str, path: str, change: dict[str, Any]) -> None:
        _, _, _, _, namespace, _, name, *_ = path.split("/")
        with self._cluster.lock:
            pod = self._cluster.objects.get(("pods", namespace, name))
            if method == "DELETE":
                self._cluster.objects.pop(("pods", namespace, name), None)
                self._cluster.end_namespaces()
            elif pod:
                pod["status"].update(change["status"])


class Toy:
    """`missing` are schedulers that the nodes' kernel lacks.

    `crashes` are the last words of a proxy that ends at once, by mode.
    """

    def __init__(self, place: Path, nodes: int = 1) -> None:
        # Addresses of this process's own: another one's cluster has the same ports.
        ours = f"127.{1 + os.getpid() % 250}.{os.getpid() // 250 % 250}"
        named = {f"node{n}": f"{ours}.{n}" for n in range(1, nodes + 1)}
        self.addresses = named
        self.cluster = Cluster(named)
        self.kubeconfig = place / "kubeconfig"
        self.kubeconfig.write_text(self.cluster.config())
        self.missing: set[str] = set()
        self.crashes: dict[str, str] = {}
        self.tables = {node: place / f"{node}.json" for node in named}
        self.proxies = {
            node: Proxy(self.cluster, self.tables[node], self.missing, address)
            for node, address in named.items()
        }
        self.proxy = self.proxies[NODE]
        self.place = KUBEADM
        self.cluster.put("configmaps", "kube-system", proxy_config_map("/none"))
        self.cluster.put("daemonsets", "kube-system", proxy_daemon_set())
        self.kubelets = [
            Kubelet(
                Direct(self.cluster),
                node,
                [f"127.0.{number}.{n}" for n in range(1, 200)],
                partial(self._program, node),
                place / "pods",
                ready_after=0.1,
            )
            for number, node in enumerate(named, 1)
        ]
        for kubelet in self.kubelets:
            kubelet.logs = self.cluster.logs

    def __enter__(self) -> "Toy":
        for kubelet in self.kubelets:
            kubelet.start()
        deadline = time.monotonic() + HUNG_AFTER_S
        while not all(p.mode for p in self.proxies.values()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        for kubelet in self.kubelets:
            kubelet.stop()
        for proxy in self.proxies.values():
            proxy.close()
        self.cluster.close()

    def power_off(self, node: str, *, told: bool = True) -> None:
        """The node goes down; the cluster is told, or does not know it yet."""
        kubelet = self.kubelets[list(self.proxies).index(node)]
        kubelet.stop()
        with self.cluster.lock:
            for key, pod in self.cluster.objects.items():
                if key[0] == "pods" and pod["spec"].get("nodeName") == node:
                    self.cluster.logs.pop(key[1:], None)
        self.proxies[node].close()
        if told:
            self.not_ready(node)

    def not_ready(self, node: str) -> None:
        """As the node lifecycle controller writes it."""
        with self.cluster.lock:
            status = self.cluster.objects["nodes", "", node]["status"]
            message = "Kubelet stopped posting node status."
            status["conditions"] = [{"type": "Ready", "status": "Unknown", "message": message}]

    @property
    def config(self) -> str:
        """kube-proxy's configuration now."""
        found: str = self.config_map["data"][self.place.key]
        return found

    @property
    def config_map(self) -> dict[str, Any]:
        """The object in the store."""
        return self.cluster.objects["configmaps", "kube-system", self.place.name]

    def reconfigure(self, place: ConfigPlace, config_map: Object, daemon_set: Object) -> None:
        """Before it starts: another ConfigMap and DaemonSet in the place of kubeadm's."""
        for key in list(self.cluster.objects):
            if key[0] in ("pods", "configmaps", "daemonsets"):
                del self.cluster.objects[key]
        self.place = place
        self.cluster.put("configmaps", "kube-system", config_map)
        self.cluster.put("daemonsets", "kube-system", daemon_set)

    def _program(self, node: str, kind: str, pod: dict[str, Any], place: Path, log: Log) -> Any:
        if kind == "proxy":
            text = (place / self.place.key).read_text()
            # A configuration that this test broke on purpose: the proxy would not start.
            if "mode" not in text:
                return ["false"]
            if words := self.crashes.get(read(text).mode):
                return Crash(words)
            return ProxyPod(self.proxies[node], text, log)
        if pod["metadata"]["labels"].get(ROLE) == EXAMINER:
            # The code as it is carried, by a bare interpreter.
            return ["python3", "-I", "-S", str(place / ARCHIVE), "--node", node]
        address = self.addresses[node]
        ahead = AHEAD * (list(self.proxies).index(node) + 1)
        table = str(self.tables[node])
        if pod["metadata"]["labels"].get(ROLE) == RESTORER:
            file = str(place / FILE)
            return [sys.executable, "-m", "tests.kubernetes.foreign_table", table, node, file]
        return [
            sys.executable,
            "-m",
            "tests.kubernetes.proxy_sim",
            table,
            node,
            str(ahead),
            address,
        ]
