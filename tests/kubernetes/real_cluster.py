"""A real control plane and a real kube-proxy around the lab's kernel, for who has them.

    ipvsload lab --servers 12 -- python -m tests.kubernetes.real_cluster BINARIES -- COMMAND...

runs COMMAND with a KUBECONFIG for a cluster of one node. BINARIES is a directory
with kube-apiserver, kube-controller-manager and kube-proxy; etcd is Debian's.
API server and controllers run here, in the client namespace; kube-proxy runs in
the director, beside its table, so the real servers of the lab are the "pods".
Where they come from: docs/kubernetes.md, "What was tried".
"""

import contextlib
import http.server
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ipvsload.testbed.kubernetes.api import Api, ApiError
from ipvsload.testbed.kubernetes.kubeconfig import connect
from ipvsload.testbed.lab import topology
from tests.kubernetes.cluster_objects import proxy_config_map, proxy_daemon_set
from tests.kubernetes.kubelet import Kubelet

HERE = topology.client_address(1)
NODE = "node1"
MODULES = (
    "ip_vs ip_vs_rr ip_vs_wrr ip_vs_sh ip_vs_lc nf_conntrack dummy xt_set xt_comment xt_mark"
    " xt_addrtype xt_conntrack xt_MASQUERADE xt_nat xt_tcpudp ip_set ip_set_hash_ip"
    " ip_set_hash_ipport ip_set_hash_ipportip ip_set_hash_ipportnet ip_set_hash_net"
    " ip_set_bitmap_port iptable_nat iptable_filter iptable_mangle xt_statistic"
)
EXEC = [sys.executable, "-m", "ipvsload", "lab", "exec", "--"]


def main() -> int:
    binaries, command = Path(sys.argv[1]), sys.argv[sys.argv.index("--") + 1 :]
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="k8s-")))
        config = control_plane(stack, binaries, place)
        os.environ["KUBECONFIG"] = str(config)
        api = connect()
        node(api)
        # User-mode Linux has the older iptables only.
        (place / "bin").mkdir()
        for word in ("", "-save", "-restore"):
            for family in ("iptables", "ip6tables"):
                legacy = f"/usr/sbin/{family}-legacy{word}"
                (place / "bin" / f"{family}{word}").symlink_to(legacy)
        modules = os.environ.get("MODULES", MODULES).split()
        subprocess.run([*EXEC, "modprobe", "-d", "/run/modules", "-a", *modules], check=False)
        kubelet = Kubelet(
            api,
            NODE,
            [topology.server_address(n + 1).partition(":")[0] for n in range(12)],
            lambda kind, pod, directory, _: program(kind, pod, directory, binaries),
            place / "pods",
        )
        serve_logs(kubelet, place)
        kubelet.start()
        stack.callback(kubelet.stop)
        mode = os.environ.get("MODE", "iptables")
        api.create("configmaps", proxy_config_map(str(config), mode), "kube-system")
        api.create("daemonsets", proxy_daemon_set(), "kube-system")
        await_proxy(kubelet)
        status = subprocess.run(command, check=False).returncode
        if os.environ.get("SHOW"):
            for (namespace, name), log in kubelet.logs.items():
                print("---", namespace, name)  # noqa: T201
                print(b"".join(log.read(follow=False, tail=25)).decode())  # noqa: T201
        return status


def control_plane(stack: contextlib.ExitStack, binaries: Path, place: Path) -> Path:
    """etcd, API server and controllers; the admin's kubeconfig."""
    key = place / "sa.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    (place / "tokens").write_text("admin,admin,admin,system:masters\nrunner,runner,runner\n")
    run(stack, place, "etcd", "etcd", f"--data-dir={place}/etcd", "--log-level=error")
    run(
        stack, place, "apiserver", str(binaries / "kube-apiserver"),
        "--etcd-servers=http://127.0.0.1:2379", f"--cert-dir={place}/certs",
        f"--advertise-address={HERE}", "--secure-port=6443", "--insecure-port=0",
        "--service-cluster-ip-range=10.96.0.0/24", "--authorization-mode=RBAC",
        f"--token-auth-file={place}/tokens", f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}", "--service-account-issuer=https://lab",
        "--allow-privileged=true", "--kubelet-preferred-address-types=ExternalIP",
        "--feature-gates=SetHostnameAsFQDN=false",
    )  # fmt: skip
    certificate = place / "certs" / "apiserver.crt"
    configs = [
        write_config(place / f"{name}.conf", name, certificate) for name in ("admin", "runner")
    ]
    until(lambda: certificate.exists() and ready(place, configs[0]), "the API server")
    run(
        stack, place, "controllers", str(binaries / "kube-controller-manager"),
        f"--kubeconfig={configs[0]}", f"--service-account-private-key-file={key}",
        "--controllers=*,-nodelifecycle,-nodeipam", "--use-service-account-credentials=false",
        "--leader-elect=false",
    )  # fmt: skip
    api = api_of(configs[0])
    until(lambda: api.find("namespaces", "kube-system") is not None, "namespace kube-system")
    return configs[0]


def run(stack: contextlib.ExitStack, place: Path, name: str, *command: str) -> None:
    log = (place / f"{name}.log").open("wb")
    process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def stop() -> None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()

    stack.callback(stop)


def write_config(path: Path, user: str, certificate: Path) -> Path:
    cluster = f'{{server: "https://{HERE}:6443", certificate-authority: {certificate}}}'
    path.write_text(
        f"""apiVersion: v1
kind: Config
current-context: lab-{user}
contexts: [{{name: lab-{user}, context: {{cluster: lab, user: {user}}}}}]
clusters: [{{name: lab, cluster: {cluster}}}]
users: [{{name: {user}, user: {{token: {user}}}}}]
"""
    )
    return path


def api_of(config: Path) -> Api:
    os.environ["KUBECONFIG"] = str(config)
    return connect()


def ready(place: Path, config: Path) -> bool:
    try:
        api = api_of(config)
        api._patience = 0.0
        return bool(api.version()) and api.find("namespaces", "default") is not None
    except ApiError:
        return False
    except Exception:
        return False


def until(look: Any, what: str, within: float = 60) -> None:
    deadline = time.monotonic() + within
    while not look():
        if time.monotonic() > deadline:
            raise SystemExit(f"no {what} within {within:.0f} s")
        time.sleep(0.2)


def node(api: Api) -> None:
    """The director, as a Node whose kubelet is here."""
    labels = {"kubernetes.io/os": "linux"}
    made = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": labels}}
    api.create("nodes", made)
    size = {"cpu": "2", "memory": "512Mi", "pods": "110"}
    status = {
        "addresses": [
            {"type": "InternalIP", "address": topology.director(1).client_side},
            {"type": "ExternalIP", "address": HERE},
            {"type": "Hostname", "address": NODE},
        ],
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        "capacity": size,
        "allocatable": size,
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
    }
    api._json("PATCH", f"/api/v1/nodes/{NODE}/status", {"status": status})


def program(kind: str, pod: dict[str, Any], directory: Path, binaries: Path) -> list[str]:
    if kind == "proxy":
        # User-mode Linux may not keep AVX registers (testbed/lab/wide_registers.py).
        path = f"PATH={directory.parents[1]}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        words = [*EXEC, "env", "GODEBUG=cpu.all=off", path, str(binaries / "kube-proxy")]
        return [*words, f"--config={directory}/config.conf", f"--hostname-override={NODE}", "-v=2"]
    container = pod["spec"]["containers"][0]
    arguments = [word.replace("$(NODE)", NODE) for word in container["args"]]
    # A bare interpreter: Debian's own, without any site-packages.
    words = ["/usr/bin/python3", *container["command"][1:-1]]
    return [*EXEC, *words, str(directory / "ipvsload.pyz"), *arguments]


def serve_logs(kubelet: Kubelet, place: Path) -> None:
    """/containerLogs as a kubelet serves it (pkg/kubelet/server/server.go)."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NODE}",
         "-keyout", place / "kubelet.key", "-out", place / "kubelet.crt"],
        check=True, capture_output=True,
    )  # fmt: skip

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            _, _, namespace, name, *_ = parts.path.split("/")
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            log = kubelet.logs.get((namespace, name))
            if log is None or query.get("previous") == "true":
                self.send_error(400, "no such container")
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            since = time.time() - float(query["sinceSeconds"]) if "sinceSeconds" in query else 0
            tail = int(query["tailLines"]) if "tailLines" in query else None
            with contextlib.suppress(OSError):
                follow = query.get("follow") == "true"
                for line in log.read(follow=follow, since=since, tail=tail):
                    if line:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                        self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer((HERE, 10250), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "kubelet.crt", place / "kubelet.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def await_proxy(kubelet: Kubelet) -> None:
    def up() -> bool:
        logs = [log for (namespace, _), log in kubelet.logs.items() if namespace == "kube-system"]
        return any(b"Caches are synced" in line for log in logs for line in log.read(follow=False))

    try:
        until(up, "kube-proxy", 40)
    except SystemExit:
        for key, log in kubelet.logs.items():
            print("---", key, b"".join(log.read(follow=False, tail=40)).decode())  # noqa: T201
        raise


if __name__ == "__main__":
    sys.exit(main())
