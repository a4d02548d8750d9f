"""What stands in for kube-proxy and the kernel's table where a test is about faults.

It reads the configuration once, as kube-proxy does, and keeps a table for the
cluster's services in a file; a stand-in for the sidecar prints that file in the
sidecar's own form. `missing` schedulers make it fall back, and what it leaves in
the table when it goes from the IPVS mode stays there, as with 1.20, unless it `cleans`.
Virtual servers of others it deletes as kube-proxy does.
"""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from ipvsload.scenario.balancers import Balancer
from ipvsload.testbed.kubernetes.foreign_services import deleted_by
from tests.kubernetes.apiserver import Cluster
from tests.kubernetes.foreign_table import ForeignTable
from tests.kubernetes.kubelet import Log

_IPVS = Balancer("rr")
FALLBACK = (
    "E1125 10:00:00.000000       1 server_others.go:127] Can't use the IPVS proxier: "
    "IPVS proxier will not be used because the following required kernel modules are not "
    "loaded: [ip_vs_{0}]\nI1125 10:00:00.000000       1 server_others.go:185] "
    "Using iptables Proxier.\n"
)


class Proxy:
    """kube-proxy on the node of this address, and the ports that it opens."""

    def __init__(
        self, cluster: Cluster, table: Path, missing: set[str], address: str = "127.0.0.1"
    ) -> None:
        self._cluster = cluster
        self._address = address
        self._table = table
        self.foreign = ForeignTable(table)
        self._turns = threading.Lock()
        self._missing = missing
        self._listeners: dict[int, ThreadingHTTPServer] = {}
        self.mode = ""
        self.cleans = False  # as newer ones do
        self.pause = 0.05
        """Seconds between two writings of its rules."""
        self.connections: Counter[tuple[str, str]] = Counter()  # by service and real server
        self._endpoints: dict[str, list[str]] = {}
        self._text = json.dumps({"mode": "", "services": []})
        table.write_text(self._text)

    def start(self, config: str, log: Log) -> threading.Event:
        """As the program: reads its configuration now; the event stops it."""
        value = yaml.safe_load(config)
        self._excluded = value["ipvs"].get("excludeCIDRs") or ()
        self.mode, self._scheduler = value["mode"] or "iptables", value["ipvs"]["scheduler"] or "rr"
        if self.mode == "ipvs" and self._scheduler in self._missing:
            self.mode = "iptables"
            log.write(FALLBACK.format(self._scheduler).encode())
        if self.mode == "nftables":
            self.foreign.delete(lambda _: True)
        # It does not answer until it has begun to work.
        with self._cluster.lock:
            self._write(json.loads(self._text) | {"mode": ""})
        stopped = threading.Event()
        threading.Thread(target=self._loop, args=(stopped,), daemon=True).start()
        return stopped

    def _loop(self, stopped: threading.Event) -> None:
        while not stopped.wait(self.pause):
            with self._cluster.lock:
                self._sync()

    def _sync(self) -> None:
        services = list(self._virtual_servers())
        self._endpoints = {key: addresses for key, addresses, _ in services}
        self._write(self._state(services, json.loads(self._text)["services"]))

    def _write(self, state: dict[str, Any]) -> None:
        text = json.dumps(state)
        if text != self._text:
            self._text = text
            temporary = self._table.with_suffix(".new")
            temporary.write_text(text)
            temporary.replace(self._table)

    def _virtual_servers(self) -> Iterator[tuple[str, list[str], dict[str, Any]]]:
        """Key, addresses and Service of each that the cluster's Services make."""
        objects = list(self._cluster.objects.items())
        for (kind, _, _), service in objects:
            if kind != "services":
                continue
            port = service["spec"]["ports"][0]
            self._listen(port.get("nodePort"))
            wanted = service["spec"]["selector"].items()
            addresses = [
                f"{pod['status']['podIP']}:{port['targetPort']}"
                for (k, _, _), pod in objects
                if k == "pods"
                and pod["status"].get("podIP")
                and "deletionTimestamp" not in pod["metadata"]
                and wanted <= pod["metadata"]["labels"].items()
            ]
            ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
            ends = [(service["spec"]["clusterIP"], port["port"])]
            ends += [(one["ip"], port["port"]) for one in ingress]
            if port.get("nodePort"):
                ends.append((self._address, port["nodePort"]))
            yield from ((f"tcp {host}:{number}", addresses, service) for host, number in ends)

    def _state(self, services: list[Any], before: list[Any]) -> dict[str, Any]:
        """What the table's file has; `before` are the virtual servers that it had."""
        if self.mode == "ipvs":
            self.foreign.delete(lambda one: deleted_by(_IPVS, one.key, self._excluded))
            counted = self.connections
            # A server that leaves stays with weight 0, as long as its virtual server stays.
            gone = {
                key: [
                    [one, n, 0] for one, n, _ in servers if one not in self._endpoints.get(key, ())
                ]
                for key, _, servers in before
            }
            before = [
                [
                    key,
                    self._scheduler,
                    gone.get(key, []) + [[one, counted[key, one], 1] for one in found],
                ]
                for key, found, _ in services
            ]
        elif self.cleans:
            before = []
        return {"mode": self.mode, "services": before}

    def _listen(self, port: int | None) -> None:
        if port and port not in self._listeners:
            with suppress(OSError):
                server = ThreadingHTTPServer((self._address, port), handler(self))
                server.daemon_threads = True
                self._listeners[port] = server
                threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()

    def choose(self, port: int) -> str:
        """A connection has come to this port: counted, and whose turn it is."""
        with self._turns:
            key = f"tcp {self._address}:{port}"
            found = self._endpoints.get(key) or [""]
            chosen = found[sum(self.connections[key, one] for one in found) % len(found)]
            self.connections[key, chosen] += 1
            return chosen

    def close(self) -> None:
        for listener in self._listeners.values():
            listener.shutdown()
            listener.server_close()


def handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    """All real servers at once, by the ports of this proxy; each says who it is."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def setup(self) -> None:
            super().setup()
            self.chosen = proxy.choose(self.request.getsockname()[1])

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("X-Real-Server", self.chosen)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    return Handler


def stand_in(table: Path, node: str, hz: float, ahead: int, address: str) -> None:
    """Prints the file's table as the sidecar would; its clock is so many ns ahead."""
    left: list[str] = []
    foreign, others = ForeignTable(table), None
    t = time.monotonic_ns() + ahead
    columns = [
        "address",
        "weight",
        "active",
        "inactive",
        "persistent",
        "conns",
        "inpkts",
        "outpkts",
        "inbytes",
        "outbytes",
    ]
    hello = {
        "ipvsload": "samples", "version": 1, "node": node, "kernel": "6.0-test", "ipvs": "1.2.1",
        "hz": hz, "t": t, "wall": time.time_ns(), "server_columns": columns,
    }  # fmt: skip
    say(hello)
    number, mode = 0, None
    while True:
        value = json.loads(table.read_text())
        services = [
            {
                "key": key, "scheduler": scheduler, "flags": sum(flags, 2), "persistent_timeout": 0,
                "conns": 0, "inpkts": 0, "outpkts": 0, "inbytes": 0, "outbytes": 0,
                # The kernel lists the newest first.
                "servers": [
                    [one, weight, 0, n, 0, n, *[0] * 4] for one, n, weight in reversed(addresses)
                ],
            }
            for key, scheduler, addresses, *flags in value["services"]
        ]  # fmt: skip
        say({"n": number, "t": time.monotonic_ns() + ahead, "took": 1000, "services": services})
        if value["mode"] != mode:
            mode = value["mode"]
            say({"proxy_mode": mode, "proxy_version": "v1.33.1-of-its-own" if mode else ""})
            say({"reading": "netlink", "ipvs": "1.2.1"})
            say({"tracking": "the stand-in tracks nothing"})
        now = [] if mode == "ipvs" else [service["key"] for service in services]
        if now != left:
            left = now
            say({"left": left})
        if mode != "ipvs" and others != (told := foreign.told(address)):
            others = told
            say(told)
        t = time.monotonic_ns() + ahead
        read = {"entries": 0, "began": t, "source": "ip_vs_conn", "why": ""}
        say({"connections_read": read, "t": t})
        number += 1
        time.sleep(1 / hz)


def say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    stand_in(Path(sys.argv[1]), sys.argv[2], 20.0, int(sys.argv[3]), sys.argv[4])
