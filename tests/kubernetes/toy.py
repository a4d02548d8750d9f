"""API server, kubelet and proxy put together: a cluster of one node, 127.0.0.1."""

import copy
import sys
import time
from pathlib import Path
from typing import Any

from ipvsload.testbed.kubernetes.manifests import ARCHIVE
from ipvsload.testbed.kubernetes.names import EXAMINER, ROLE
from tests.kubernetes.apiserver import Cluster
from tests.kubernetes.cluster_objects import proxy_config_map, proxy_daemon_set
from tests.kubernetes.kubelet import Kubelet, Log
from tests.kubernetes.proxy_sim import Proxy

NODE = "node1"


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
            return copy.deepcopy(self._cluster.objects[kind, namespace, name])

    def delete(self, kind: str, name: str, namespace: str, grace: int) -> None:
        with self._cluster.lock:
            self._cluster.objects.pop((kind, namespace, name), None)

    def _json(self, method: str, path: str, change: dict[str, Any], kind: str) -> None:
        _, _, _, _, namespace, _, name, _ = path.split("/")
        with self._cluster.lock:
            pod = self._cluster.objects.get(("pods", namespace, name))
            if pod:
                pod["status"].update(change["status"])


class Toy:
    """`missing` are schedulers that the node's kernel lacks."""

    def __init__(self, place: Path, missing: set[str] | None = None) -> None:
        self.cluster = Cluster({NODE: "127.0.0.1"})
        self.kubeconfig = place / "kubeconfig"
        self.kubeconfig.write_text(self.cluster.config())
        self.table = place / "table.json"
        self.missing = missing if missing is not None else set()
        self.proxy = Proxy(self.cluster, self.table, self.missing)
        self.cluster.put("configmaps", "kube-system", proxy_config_map("/none"))
        self.cluster.put("daemonsets", "kube-system", proxy_daemon_set())
        self.kubelet = Kubelet(
            Direct(self.cluster),
            NODE,
            [f"127.0.1.{n}" for n in range(1, 200)],
            self._program,
            place / "pods",
            ready_after=0.1,
        )
        self.kubelet.logs = self.cluster.logs

    def __enter__(self) -> "Toy":
        self.kubelet.start()
        deadline = time.monotonic() + 10
        while not self.proxy.mode and time.monotonic() < deadline:
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self.kubelet.stop()
        self.proxy.close()
        self.cluster.close()

    @property
    def config(self) -> str:
        """kube-proxy's configuration now."""
        found: str = self.config_map["data"]["config.conf"]
        return found

    @property
    def config_map(self) -> dict[str, Any]:
        """The object in the store."""
        return self.cluster.objects["configmaps", "kube-system", "kube-proxy"]

    def _program(self, kind: str, pod: dict[str, Any], place: Path, log: Log) -> Any:
        if kind == "proxy":
            # A configuration that this test broke on purpose: the proxy would not start.
            if "mode" not in (place / "config.conf").read_text():
                return ["false"]
            return ProxyPod(self.proxy, (place / "config.conf").read_text(), log)
        if pod["metadata"]["labels"].get(ROLE) == EXAMINER:
            # The code as it is carried, by a bare interpreter.
            return ["python3", "-I", "-S", str(place / ARCHIVE), "--node", NODE]
        return [sys.executable, "-m", "tests.kubernetes.proxy_sim", str(self.table), NODE]
