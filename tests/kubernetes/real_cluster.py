"""A real control plane and a real kube-proxy around the lab's kernel, for who has them.

    ipvsload lab --servers 12 -- python -m tests.kubernetes.real_cluster BINARIES -- COMMAND...

runs COMMAND with a KUBECONFIG for a cluster of two nodes. BINARIES is a directory
with kube-apiserver, kube-controller-manager, kube-scheduler and kube-proxy, of 1.20
or later; etcd may be there too, else it is the system's. With `--program kube-router`
that is there as well, and balances in the place of kube-proxy. The control plane runs
here, in the client
namespace; each node is a network namespace in the director (`director_nodes.py`)
where kube-proxy and the sidecar run for real, and the real servers of the lab are
the "pods". What is tried with it: docs/kubernetes.md, "What was tried".
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from ipvsload.testbed.kubernetes.api import Api
from ipvsload.testbed.kubernetes.object_names import PROXY
from ipvsload.testbed.kubernetes.router_daemon_set import ROUTER
from ipvsload.testbed.lab import topology
from tests.kubernetes import director_nodes
from tests.kubernetes.cluster_objects import (
    proxy_config_map,
    proxy_daemon_set,
    router_daemon_set,
)
from tests.kubernetes.control_plane import api_of, control_plane, until
from tests.kubernetes.director_nodes import DirectorNode
from tests.kubernetes.kubelet import Kubelet
from tests.kubernetes.kubelet_logs import PORT, serve_logs

HERE = topology.client_address(1)
OF_ROUTER = ("--run-router=false", "--run-firewall=false", "-v=1")
UP = (b"Caches are synced", b"sync ipvs services took")
"""What a kube-proxy, or a kube-router, says when it is up."""
BESIDE_ROUTER = """\
set -e
mkdir {place}
cp -r /etc/iproute2/. {place}
mount --bind {place} /etc/iproute2
iptables -t nat -A POSTROUTING -o towards-pods -j MASQUERADE
exec "$@"
"""
"""kube-router writes names of routing tables into its image. Its own rule would give packets the
node's other address, to which the real servers have no way."""
DOWN = "CLUSTER_DOWN"
"""Names a directory for COMMAND: a node goes down when a file of its name appears there."""


def main() -> int:
    split = sys.argv.index("--")
    options, command = arguments(sys.argv[1:split]), sys.argv[split + 1 :]
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="k8s-")))
        configs = control_plane(stack, options.binaries, place, HERE)
        api = api_of(configs["admin"])
        nodes = director_nodes.make_nodes(options.nodes, frozen=options.frozen_modules)
        (place / "config").mkdir()
        configs["admin"].rename(place / "config" / "admin.conf")
        configs["admin"] = place / "config" / "admin.conf"
        there = director_nodes.carry(place / "config")
        proxy = director_nodes.program(options.binaries / options.program)
        kubelets = {}
        logs: Any = {}
        serve_logs(logs, HERE, place)
        for index, node in enumerate(nodes):
            register(api, node)
            hosts = [
                topology.server_address(n + 1).partition(":")[0] for n in range(options.servers)
            ]
            kubelet = Kubelet(
                api_of(configs["admin"]),
                node.name,
                hosts[index :: len(nodes)],
                partial(program, node, proxy),
                place / "pods",
                schedules=False,
            )
            kubelet.logs = logs
            kubelet.start()
            stack.callback(kubelet.stop)
            kubelets[node.name] = kubelet
        admin = f"{there}/admin.conf"
        api.create("configmaps", proxy_config_map(admin, options.mode), "kube-system")
        image = f"registry.k8s.io/kube-proxy:{api.version()}"
        daemon_set = {
            PROXY: proxy_daemon_set(image),
            ROUTER: router_daemon_set(
                *OF_ROUTER, f"--kubeconfig={admin}", *options.argument, image="of-this-rig"
            ),
        }[options.program]
        api.create("daemonsets", daemon_set, "kube-system")
        await_proxies(kubelets, logs, place)
        down = place / "down"
        down.mkdir()
        threading.Thread(target=watch_down, args=(down, kubelets, api), daemon=True).start()
        environment = {**os.environ, "KUBECONFIG": str(configs["admin"]), DOWN: str(down)}
        status = subprocess.run(command, check=False, env=environment).returncode
        if options.logs:
            show(logs)
        return status


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="real_cluster", description=__doc__)
    parser.add_argument("binaries", type=Path)
    parser.add_argument("--program", default=PROXY, choices=(PROXY, ROUTER))
    parser.add_argument("--argument", action="append", default=[], help="one more for kube-router")
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--servers", type=int, default=12, help="as of `ipvsload lab`")
    parser.add_argument("--mode", default="iptables", help="kube-proxy's at the beginning")
    parser.add_argument(
        "--frozen-modules",
        action="store_true",
        help="the nodes' kernel loads no module any more: it has rr, wrr, sh and lc",
    )
    parser.add_argument("--logs", action="store_true", help="print what the proxies said")
    return parser.parse_args(words)


def register(api: Api, node: DirectorNode) -> None:
    """A Node whose kubelet is here."""
    name = node.name
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/hostname": name}
    made = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
    api.create("nodes", made)
    size = {"cpu": "2", "memory": "512Mi", "pods": "110"}
    status = {
        "addresses": [
            {"type": "InternalIP", "address": node.address},
            {"type": "ExternalIP", "address": HERE},
            {"type": "Hostname", "address": name},
        ],
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        "capacity": size,
        "allocatable": size,
        "daemonEndpoints": {"kubeletEndpoint": {"Port": PORT}},
    }
    api._json("PATCH", f"/api/v1/nodes/{name}/status", {"status": status})
    # Its "not-ready" is taken off by a controller that wants a heartbeat.
    api.patch("nodes", name, {"spec": {"taints": None}})


def program(
    node: DirectorNode, proxy: str, kind: str, pod: dict[str, Any], directory: Path, _: object
) -> list[str]:
    """How a pod's program is started on the node."""
    place = director_nodes.carry(directory)
    (container,) = pod["spec"]["containers"]
    words = [*container.get("command", []), *container.get("args", [])]
    if container["name"] == ROUTER:
        script = BESIDE_ROUTER.format(place=f"{director_nodes.PLACE}/tables-of-{node.name}")
        own = f"--hostname-override={node.name}"
        return node.command("sh", "-c", script, "sh", proxy, *words, own)
    if kind == "proxy":
        given = next((word for word in words if word.startswith("--config=")), "config.conf")
        config = f"--config={place}/{given.rpartition('/')[2]}"
        return node.command(proxy, config, f"--hostname-override={node.name}", "-v=2")
    # A bare interpreter: Debian's own, without any site-packages.
    *interpreter, _archive = container["command"]
    interpreter[0] = "/usr/bin/python3"
    given = [word.replace("$(NODE)", node.name) for word in container["args"]]
    return node.command(*interpreter, f"{place}/ipvsload.pyz", *given)


def await_proxies(kubelets: dict[str, Kubelet], logs: Any, place: Path) -> None:
    def up() -> bool:
        ready = [
            log
            for (namespace, _), log in list(logs.items())
            if namespace == "kube-system"
            and any(sign in line for line in log.read(follow=False) for sign in UP)
        ]
        return len(ready) >= len(kubelets)

    try:
        until(up, "proxy on every node", place)
    except SystemExit:
        show(logs)
        raise


def show(logs: Any) -> None:
    """What the proxies said."""
    for (namespace, name), log in logs.items():
        if namespace == "kube-system":
            print("---", name, b"".join(log.read(follow=False)).decode())  # noqa: T201


def watch_down(down: Path, kubelets: dict[str, Kubelet], api: Api) -> None:
    """A node goes down: its programs end, and it is NotReady."""
    while down.exists():
        for file in down.glob("*"):
            kubelet = kubelets.pop(file.name, None)
            if kubelet is None:
                continue
            kubelet.stop()
            condition = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
            status = {"status": {"conditions": [condition]}}
            api._json("PATCH", f"/api/v1/nodes/{file.name}/status", status)
            # As the controller would do that wants a heartbeat.
            taint = {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}
            api.patch("nodes", file.name, {"spec": {"taints": [taint]}})
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
