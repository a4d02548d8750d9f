"""The cluster doctor's findings in words: versions, modules, and what mends them. Pure."""

import re
from collections.abc import Sequence
from typing import Any

from ipvsload.ipvs.schedulers import SCHEDULERS, module_of
from ipvsload.testbed.kubernetes.proxy_config import ProxyConfig

ISO = (
    "minikube: `ipvsload iso minikube CHECKOUT` adds it to the ISO of a minikube checkout and"
    " says how to build it; then: minikube start --iso-url=file:///PATH/minikube.iso"
)

_DEFAULT_MODE, _DEFAULT_SCHEDULER = "iptables", "rr"
_STALE = "it has not been restarted since, or could not do it"
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


def of_running(mode: str, version: str, config: ProxyConfig | None) -> str:
    """What a kube-proxy says that it runs, beside what it is configured for."""
    if not mode:
        where = config.status_endpoint() if config else "127.0.0.1:10249"
        return f"does not tell its mode at {where}: what it runs is seen in the kernel's table only"
    text = f"is {version} and runs {mode}" if version else f"runs {mode}"
    return f"{text}, but is configured for {config}: {_STALE}" if differs(mode, config) else text


def differs(mode: str, config: ProxyConfig | None) -> bool:
    """Whether a kube-proxy that says that it runs this mode is configured for another."""
    return config is not None and mode not in ("", config.mode or _DEFAULT_MODE)


def of_table(schedulers: Sequence[str], config: ProxyConfig) -> str:
    """What these schedulers in a table of kube-proxy's IPVS mode show to be wrong; else ""."""
    configured = config.scheduler or _DEFAULT_SCHEDULER
    if not schedulers or config.mode != "ipvs" or configured in schedulers:
        return ""
    return f"the kernel balances by {', '.join(schedulers)}, {configured} is configured: {_STALE}"


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
