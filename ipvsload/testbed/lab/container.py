"""Whether this is a container, and what a lab in it must be started with.

Engines forbid what a lab is made of: seccomp filters refuse new namespaces, and the parts of
/proc that engines cover keep the kernel from mounting a new one (fs/namespace.c,
mount_too_revealing). Each engine has its own words for letting them through, and only whoever
starts the container can say them. docs/container.md has what was tried.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Engine(NamedTuple):
    """What starts containers."""

    name: str
    variable: str
    """How a variable of the environment begins, with its name, that it gives to all of them."""
    file: str
    """A path that it leaves in them."""
    start: str
    """What permits a lab, as it is written for this engine."""


ENGINES = (
    Engine(
        "Kubernetes",
        "KUBERNETES_SERVICE_HOST=",
        "run/secrets/kubernetes.io",
        "securityContext: {privileged: true}, or {procMount: Unmasked, seccompProfile: {type:\n"
        "  Unconfined}} with `hostUsers: false` for the pod",
    ),
    Engine(
        "podman",
        "container=podman",
        "run/.containerenv",
        "podman run --security-opt unmask=ALL ...",
    ),
    Engine(
        "Docker",
        "container=docker",
        ".dockerenv",
        "docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined \\\n"
        "    --security-opt apparmor=unconfined ...",
    ),
)
"""In the order in which they are looked for: Kubernetes uses others."""
_MOUNTS = "proc/self/mountinfo"
_MOUNTED = " /etc/hosts "


def engine(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> Engine | None:
    """The one in whose container this process is, or None. `root` is the file system's.

    A virtual machine whose disk was a container's image has its files, too; only engines mount
    /etc/hosts.
    """
    if _MOUNTED not in (root / _MOUNTS).read_text():
        return None
    variables = [f"{name}={value}" for name, value in environment.items()]
    for one in ENGINES:
        if (root / one.file).exists() or any(each.startswith(one.variable) for each in variables):
            return one
    return None
