"""Everything that a run creates in a cluster, as plain Kubernetes objects. Pure."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ipvsload.testbed.kubernetes.api import Object
from ipvsload.testbed.kubernetes.object_names import (
    JOINED,
    MADE,
    NAMESPACE,
    OURS,
    PROBE,
    ROLE,
    RUN,
    SERVERS,
    SERVICE,
)

ServiceType = Literal["NodePort", "ClusterIP", "LoadBalancer"]
ARCHIVE = "ipvsload.pyz"
_CODE = "/code"
_LINUX = {"kubernetes.io/os": "linux"}
# Both are widely mirrored. Tags, not digests: a mirror has its copy under the same tag.
HTTPBIN = "docker.io/kennethreitz/httpbin:latest"
PYTHON = "docker.io/library/python:3.12-slim"


@dataclass(frozen=True, slots=True)
class ServerWorkload:
    """What is balanced. `port` is the container's."""

    image: str = HTTPBIN
    port: int = 80
    service: ServiceType = "NodePort"


def namespace() -> Object:
    """Make our namespace.

    Its level is for hostNetwork pods (kubernetes.io/docs/concepts/security/
    pod-security-standards).
    """
    level = {"pod-security.kubernetes.io/enforce": "privileged"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": {**OURS, MADE: "yes", **level}},
    }


def service(
    workload: ServerWorkload, run: int, node_port: int | None, address: str | None
) -> Object:
    """Make the service under test, on the port and address that it had before."""
    port: Object = {"name": "http", "port": 80, "targetPort": workload.port, "protocol": "TCP"}
    if node_port and workload.service != "ClusterIP":
        port["nodePort"] = node_port
    if node_port and workload.service == "LoadBalancer":
        port["port"] = node_port  # the sidecar finds it by its port, at any address
    spec: Object = {
        "type": workload.service,
        "selector": {ROLE: "server", JOINED: "yes", RUN: str(run)},
        "ports": [port],
        # One address family: the key in the table must be known in advance.
        "ipFamilyPolicy": "SingleStack",
    }
    if address:
        spec["clusterIP"] = address
    return {"apiVersion": "v1", "kind": "Service", "metadata": _meta(SERVICE), "spec": spec}


def probe_service(workload: ServerWorkload, node_port: int | None = None) -> Object:
    """Make the probe service: the same pods on another port of every node."""
    port: Object = {"name": "http", "port": 80, "targetPort": workload.port, "protocol": "TCP"}
    if node_port:
        port["nodePort"] = node_port
    spec = {
        "type": "NodePort",
        "selector": {ROLE: "server", JOINED: "yes"},
        "ports": [port],
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": _meta(PROBE), "spec": spec}


def deployment(workload: ServerWorkload, run: int, replicas: int) -> Object:
    """Make the real servers of a run.

    A pod that leaves the Service by its label stays in the Deployment, so its
    process goes on; see JOINED.
    """
    selector = {ROLE: "server", RUN: str(run)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(f"{SERVERS}-{run}"),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": selector},
            "template": {
                "metadata": {"labels": {**OURS, **selector, JOINED: "yes"}},
                "spec": {
                    "nodeSelector": _LINUX,
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 2,
                    "containers": [
                        {
                            "name": "server",
                            "image": workload.image,
                            "ports": [{"containerPort": workload.port}],
                            # It joins the table only when it answers.
                            "readinessProbe": {
                                "tcpSocket": {"port": workload.port},
                                "periodSeconds": 1,
                            },
                        }
                    ],
                },
            },
        },
    }


def code(name: str, archive: bytes) -> Object:
    """Make the ConfigMap with the sidecar's code; see sidecar_zipapp.py."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _meta(name),
        "binaryData": {ARCHIVE: base64.b64encode(archive).decode()},
    }


def sidecar(
    name: str,
    image: str,
    arguments: Sequence[str],
    *,
    rootless: bool = False,
    modules: bool = False,
) -> Object:
    """Make a program that runs on every node, from the code in a ConfigMap of the same name.

    It has no port, no token, a read-only root, and no capability but NET_ADMIN.
    The kernel demands that one for reading too (ip_vs_ctl.c, GENL_ADMIN_PERM),
    and it counts only with uid 0. With `rootless` it has no capability at all.
    `modules` mounts /lib/modules, read-only.
    """
    security: Object = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]} | ({} if rootless else {"add": ["NET_ADMIN"]}),
    }
    if rootless:
        security |= {"runAsNonRoot": True, "runAsUser": 65534}
    else:
        security["runAsUser"] = 0
    volumes: list[Object] = [{"name": "code", "configMap": {"name": name}}]
    mounts: list[Object] = [{"name": "code", "mountPath": _CODE, "readOnly": True}]
    if modules:
        path = "/lib/modules"
        volumes.append({"name": "modules", "hostPath": {"path": path, "type": "Directory"}})
        mounts.append({"name": "modules", "mountPath": path, "readOnly": True})
    labels = {**OURS, ROLE: name}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": _meta(name),
        "spec": {
            "selector": {"matchLabels": {ROLE: name}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "hostNetwork": True,
                    "nodeSelector": _LINUX,
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 2,
                    "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                    # Every node has a table, also those that take no other pods.
                    "tolerations": [{"operator": "Exists"}],
                    "volumes": volumes,
                    "containers": [
                        {
                            "name": "sidecar",
                            "image": image,
                            "command": ["python3", "-I", "-S", f"{_CODE}/{ARCHIVE}"],
                            "args": ["--node", "$(NODE)", *arguments],
                            "env": [
                                {
                                    "name": "NODE",
                                    "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}},
                                },
                                {"name": "PYTHONUNBUFFERED", "value": "1"},
                            ],
                            "volumeMounts": mounts,
                            "securityContext": security,
                        }
                    ],
                },
            },
        },
    }


def _meta(name: str) -> Object:
    return {"name": name, "namespace": NAMESPACE, "labels": dict(OURS)}
