"""Everything that a run creates in a cluster, as plain Kubernetes objects.

The larger ones are in templates/, as people write them.
"""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

import yaml

from ipvsload.testbed.kubernetes.api import Object
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
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

ARCHIVE = "ipvsload.pyz"
_CODE = "/code"
_MODULES = "/lib/modules"
_TEMPLATES = Path(__file__).parent / "templates"
# Both are widely mirrored. Tags, not digests: a mirror has its copy under the same tag.
_HTTPBIN = "docker.io/kennethreitz/httpbin:latest"
_PYTHON = "docker.io/library/python:3.12-slim"


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


def config_map(name: str, **content: dict[str, str]) -> Object:
    """Make a ConfigMap with this `data` or `binaryData`."""
    meta = {"name": name, "namespace": NAMESPACE, "labels": OURS}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, **content}


def code(name: str, archive: bytes, **beside: str) -> Object:
    """Make the ConfigMap with the sidecar's code, see sidecar_zipapp.py; and files beside it."""
    made = config_map(name, binaryData={ARCHIVE: base64.b64encode(archive).decode()})
    return {**made, "data": beside} if beside else made


def service(
    options: ClusterOptions,
    run: int,
    node_port: int | None,
    address: str | None,
    persistence: int = 0,
) -> Object:
    """Make the service under test, on the port and address that it had before.

    `persistence` is for how many seconds a client keeps its server; 0 is not at all.
    """
    made = _service(SERVICE, options.service, options.port, {RUN: str(run)}, node_port)
    if node_port and options.service == "LoadBalancer":
        # The sidecar finds it by its port, at any address.
        made["spec"]["ports"][0]["port"] = node_port
    if address:
        made["spec"]["clusterIP"] = address
    if persistence:
        made["spec"]["sessionAffinity"] = "ClientIP"
        made["spec"]["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": persistence}}
    return made


def probe_service(port: int, node_port: int | None = None) -> Object:
    """Make the probe service; `port` is the container's."""
    return _service(PROBE, "NodePort", port, {}, node_port)


def deployment(options: ClusterOptions, run: int, replicas: int) -> Object:
    """Make the real servers of a run."""
    selector = {ROLE: "server", RUN: str(run)}
    return _render(
        "deployment",
        f"{SERVERS}-{run}",
        replicas=replicas,
        selector=selector,
        labels={**OURS, **selector, JOINED: "yes"},
        image=options.image or _HTTPBIN,
        port=options.port,
    )


def sidecar(
    name: str,
    image: str,
    arguments: Sequence[str],
    *,
    rootless: bool = False,
    modules: bool = False,
) -> Object:
    """Make a program that runs on every node, from the code in a ConfigMap of the same name.

    With `rootless` it has no capability at all. `modules` mounts /lib/modules,
    read-only. An `image` of "" is a stock Python.
    """
    made = _render(
        "daemonset",
        name,
        selector={ROLE: name},
        labels={**OURS, ROLE: name},
        image=image or _PYTHON,
        program=f"{_CODE}/{ARCHIVE}",
        arguments=["--node", "$(NODE)", *arguments],
        code=_CODE,
    )
    pod = made["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    if rootless:
        container["securityContext"] |= {"runAsNonRoot": True, "runAsUser": 65534}
        del container["securityContext"]["capabilities"]["add"]
    if modules:
        # Without a type: a node that has no such directory (k3d) must not keep the pod waiting.
        directory = {"path": _MODULES}
        pod["volumes"].append({"name": "modules", "hostPath": directory})
        mount = {"name": "modules", "mountPath": _MODULES, "readOnly": True}
        container["volumeMounts"].append(mount)
    return made


def _service(
    name: str, kind: str, port: int, labels: dict[str, str], node_port: int | None
) -> Object:
    selector = {ROLE: "server", JOINED: "yes", **labels}
    made = _render("service", name, type=kind, selector=selector, port=port)
    if node_port and kind != "ClusterIP":
        made["spec"]["ports"][0]["nodePort"] = node_port
    return made


def _render(template: str, name: str, **values: Any) -> Object:
    """Fill a template in. A value is written as JSON, which is YAML."""
    text = (_TEMPLATES / f"{template}.yaml").read_text(encoding="utf-8")
    values |= {"name": name, "namespace": NAMESPACE, "ours": OURS}
    filled = Template(text).substitute({key: json.dumps(one) for key, one in values.items()})
    made: Object = yaml.safe_load(filled)
    return made
