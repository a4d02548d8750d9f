"""The cluster doctor's findings in words: versions, modules, and what mends them. Pure."""

import re
from typing import Any

from ipvsload.ipvs.schedulers import SCHEDULERS, module_of

ISO = (
    "minikube: `ipvsload iso minikube CHECKOUT` adds it to the ISO of a minikube checkout and"
    " says how to build it; then: minikube start --iso-url=file:///PATH/minikube.iso"
)

# What kube-proxy 1.N does about IPVS, newest first. Kubernetes Enhancement Proposal 5495 for its
# end; the fallback is cmd/kube-proxy/app/server_others.go up to 1.26.
_VERSIONS = (
    (43, "has no IPVS mode any more (KEP-5495): measure iptables and nftables, or an older one"),
    (40, "has its IPVS mode switched off by default (KEP-5495), and removed in 1.43"),
    (35, "warns that IPVS is deprecated (KEP-5495): off by default in 1.40, gone in 1.43"),
    (27, "has the IPVS mode, and ends with an error where it cannot have it"),
    (
        0,
        "falls back to iptables silently where a module is missing: pods stay Ready, old virtual"
        " servers stay in the table",
    ),
)


def of_version(version: str) -> str:
    """What kube-proxy of this version ("v1.33.1") does about IPVS."""
    found = re.match(r"v?1\.(\d+)", version)
    if not found:
        return "its version is not known"
    return next(words for since, words in _VERSIONS if int(found[1]) >= since)


def missing_modules(modules: dict[str, str], schedulers: list[str]) -> list[tuple[str, str]]:
    """(module, state) of each that is needed and not in the kernel; absent ones first."""
    of_schedulers = {scheduler.module for scheduler in SCHEDULERS.values()}
    wanted = [*(name for name in modules if name not in of_schedulers), *map(module_of, schedulers)]
    found = [(name, modules.get(name, "absent")) for name in wanted]
    lacking = [(name, state) for name, state in found if state not in ("loaded", "built in")]
    return sorted(lacking, key=lambda one: one[1] != "absent")


def mend(name: str, state: str, labels: dict[str, Any]) -> str:
    """The command that brings a module in this state, on a node with these labels."""
    if state == "loadable":
        return f"there, not loaded: kube-proxy loads it when needed; by hand: sudo modprobe {name}"
    if state == "unknown":
        return f"the node has no lists of modules; try there: sudo modprobe {name}"
    if any(label.startswith("minikube.k8s.io/") for label in labels):
        return f"not in this kernel; {ISO}"
    return "not in this kernel: the node needs one that has it (Debian, Ubuntu and Fedora do)"
