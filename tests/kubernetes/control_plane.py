"""A real control plane in processes of its own: etcd, API server, controllers, scheduler.

From Kubernetes 1.20 on; flags are those that all of them have.
"""

import base64
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipvsload.testbed.kubernetes.api import Api, ApiError
from ipvsload.testbed.kubernetes.kubeconfig import connect
from tests.patience import HUNG_AFTER_S

USERS = ("admin", "runner")
"""Each has its own name as its token; the admin is in system:masters."""


def control_plane(
    stack: contextlib.ExitStack, binaries: Path, place: Path, address: str
) -> dict[str, Path]:
    """Start it on this address; the users' kubeconfigs. Its logs are in `place`."""
    key = place / "sa.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    (place / "tokens").write_text("admin,admin,admin,system:masters\nrunner,runner,runner\n")
    # A newer etcd than the system's may be among the binaries: 1.36 asks for 3.5.
    etcd = shutil.which("etcd", path=f"{binaries}:{os.environ['PATH']}") or "etcd"
    run(stack, place, etcd, f"--data-dir={place}/etcd", "--log-level=error")
    run(
        stack, place, str(binaries / "kube-apiserver"),
        "--etcd-servers=http://127.0.0.1:2379", f"--cert-dir={place}/certs",
        f"--advertise-address={address}", f"--bind-address={address}", "--secure-port=6443",
        "--service-cluster-ip-range=10.96.0.0/24", "--authorization-mode=RBAC",
        f"--token-auth-file={place}/tokens", f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}", "--service-account-issuer=https://lab",
        "--allow-privileged=true", "--kubelet-preferred-address-types=ExternalIP",
    )  # fmt: skip
    certificate = place / "certs" / "apiserver.crt"
    until(lambda: certificate.exists() and bool(certificate.read_bytes()), "certificate", place)
    configs = {
        user: write_config(place / f"{user}.conf", user, certificate, address) for user in USERS
    }
    until(lambda: ready(configs["admin"]), "API server", place)
    for name, *words in (
        ("kube-controller-manager", f"--service-account-private-key-file={key}",
         "--controllers=*,-nodelifecycle,-nodeipam", "--use-service-account-credentials=false"),
        ("kube-scheduler",),
    ):  # fmt: skip
        config = f"--kubeconfig={configs['admin']}"
        run(stack, place, str(binaries / name), config, "--leader-elect=false", *words)
    api = api_of(configs["admin"])
    until(lambda: api.find("namespaces", "kube-system") is not None, "namespace", place)
    return configs


def run(stack: contextlib.ExitStack, place: Path, *command: str) -> None:
    """Start a program that ends with the stack."""
    log = (place / f"{Path(command[0]).name}.log").open("wb")
    process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def stop() -> None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()
        log.close()

    stack.callback(stop)


def write_config(path: Path, user: str, certificate: Path, address: str) -> Path:
    """A kubeconfig that needs no other file."""
    authority = base64.b64encode(certificate.read_bytes()).decode()
    cluster = f'{{server: "https://{address}:6443", certificate-authority-data: {authority}}}'
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
    """The API as this kubeconfig's user."""
    os.environ["KUBECONFIG"] = str(config)
    return connect()


def ready(config: Path) -> bool:
    """Whether the API server answers and has made its first namespace."""
    try:
        api = api_of(config)
        api._patience = 0.0
        return bool(api.version()) and api.find("namespaces", "default") is not None
    except ApiError:
        return False


def until(look: Callable[[], Any], what: str, place: Path) -> None:
    """Wait; in vain, say what the programs said last."""
    deadline = time.monotonic() + HUNG_AFTER_S
    while not look():
        if time.monotonic() > deadline:
            for log in sorted(place.glob("*.log")):
                print("---", log.name)  # noqa: T201
                print("\n".join(log.read_text(errors="replace").splitlines()[-8:]))  # noqa: T201
            raise SystemExit(f"no {what} came")
        time.sleep(0.2)
