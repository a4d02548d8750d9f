"""What stands in for kube-router, beside proxy_sim.py, which stands in for kube-proxy.

It reads Services all the time, and their annotations as kube-router does
(pkg/controllers/proxy/network_services_controller.go): schedulers that it does
not know are rr, flags are mh's alone, and one with `service.dsr: tunnel` is a
virtual server by fwmark at its external addresses. Virtual servers of others it
deletes at every turn. `missing` schedulers the kernel refuses, as it logs.
"""

import threading
from pathlib import Path
from typing import Any

from ipvsload.testbed.kubernetes.foreign_services import excluded_by
from ipvsload.testbed.kubernetes.object_names import PROXY
from ipvsload.testbed.kubernetes.router_daemon_set import marked_services, read_router
from tests.kubernetes.cluster_objects import router_daemon_set
from tests.kubernetes.kubelet import Log
from tests.kubernetes.proxy_sim import Proxy
from tests.kubernetes.toy import Toy

REFUSED = (
    "E1125 10:00:00.000000       1 service_endpoints_sync.go:111] Failed to create ipvs service"
    " for cluster ip: Failed to update the scheduler for the service due to no such file or"
    " directory\n"
)
_KNOWN = ("rr", "lc", "dh", "sh", "mh")


class Router(Proxy):
    """kube-router on one node."""

    excluded: tuple[str, ...] = ()
    log: Log

    def run(self, log: Log) -> threading.Event:
        self.mode, self.log = "of kube-router", log  # it runs
        stopped = threading.Event()
        threading.Thread(target=self._loop, args=(stopped,), daemon=True).start()
        return stopped

    def _state(self, services: list[Any], before: list[Any]) -> dict[str, Any]:
        self.foreign.delete(lambda one: not excluded_by(one.key, self.excluded))
        had = {row[0]: row[1] for row in before}
        wanted = {key: (addresses, service) for key, addresses, service in services}
        for _, addresses, service in services:
            wanted |= dict.fromkeys(marked_services([service]), (addresses, service))
        rows = [self._row(key, *found, had.get(key, "rr")) for key, found in wanted.items()]
        return {"mode": "", "services": rows}  # nobody says a mode

    def _row(self, key: str, addresses: list[str], service: dict[str, Any], had: str) -> list[Any]:
        notes = service["metadata"].get("annotations") or {}
        scheduler = notes.get("kube-router.io/service.scheduler", "rr")
        scheduler = scheduler if scheduler in _KNOWN else "rr"
        words = notes.get("kube-router.io/service.schedflags", "").split(",")
        names = (("flag-1", 0x8), ("flag-2", 0x10), ("flag-3", 0x20))
        flags = sum(bit for name, bit in names if name in words and scheduler == "mh")
        if scheduler in self._missing:
            self.log.write(REFUSED.encode())
            scheduler = had
        # In an order of its own: it shuffles them.
        servers = sorted(addresses, key=lambda one: one[::-1])
        counted = self.connections
        return [key, scheduler, [[one, counted[key, one], 1] for one in servers], flags]


class RouterPod:
    """The program, in a thread; what Kubelet expects of one."""

    def __init__(self, router: Router, log: Log) -> None:
        self._stopped = router.run(log)

    def stop(self) -> None:
        self._stopped.set()


class RouterToy(Toy):
    """A cluster whose Services kube-router balances; there is no kube-proxy."""

    def __init__(self, place: Path, nodes: int = 1, *arguments: str) -> None:
        super().__init__(place, nodes)
        for key in list(self.cluster.objects):
            if PROXY in key[2] and key[0] in ("configmaps", "daemonsets", "pods"):
                del self.cluster.objects[key]
        # Some manifests take the kubeconfig of a kube-proxy that is gone.
        text = {"kubeconfig.conf": "apiVersion: v1\nkind: Config\n"}
        config_map = {"metadata": {"name": PROXY}, "data": text}
        self.cluster.put("configmaps", "kube-system", config_map)
        made = router_daemon_set(*arguments)
        self.routers = {
            node: Router(self.cluster, self.tables[node], self.missing, address)
            for node, address in self.addresses.items()
        }
        for router in self.routers.values():
            router.excluded = read_router(made).excluded
        self.proxies = {**self.routers}
        self.cluster.put("daemonsets", "kube-system", made)

    def _program(self, node: str, kind: str, pod: dict[str, Any], place: Path, log: Log) -> Any:
        if kind == "proxy":
            return RouterPod(self.routers[node], log)
        return super()._program(node, kind, pod, place, log)
