"""kube-router's DaemonSet, and what its program makes of a Service's annotations. Pure.

kube-router balances Services by IPVS and by nothing else. What it sets for one
stands in that Service's own annotations (buildServicesInfo and parseSchedFlags in
pkg/controllers/proxy/network_services_controller.go).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from ipvsload.errors import UsageError
from ipvsload.ipvs.schedulers import FLAG_BITS, SCHEDULERS
from ipvsload.testbed.kubernetes import daemon_programs
from ipvsload.testbed.kubernetes.api import Object

ROUTER = "kube-router"
SCHEDULER = "kube-router.io/service.scheduler"
FLAGS = "kube-router.io/service.schedflags"
_DSR = "kube-router.io/service.dsr"
_WITHOUT_BALANCERS = "kube-router.io/service.skiplbips"
TAKES: dict[str, bool] = {"rr": False, "lc": False, "dh": False, "sh": False, "mh": True}
"""The schedulers that it sets, and whether it sets their flags; for any other it sets rr."""
_FALSE = ("0", "f", "F", "false", "FALSE", "False")  # strconv.ParseBool
_MARK_BITS = 0x3FFF


@dataclass(frozen=True, slots=True)
class RouterDaemonSet:
    """`labels` select its pods. `version` is its image's tag, "" where it has none.

    `excluded` are the networks whose virtual servers it does not delete.
    """

    name: str
    labels: str
    version: str
    excluded: tuple[str, ...]


def routers_among(found: Iterable[Object]) -> list[RouterDaemonSet]:
    """Those whose kube-router balances Services, on some node."""
    return [
        read_router(one)
        for one in found
        if daemon_programs.runs(one, ROUTER)
        and daemon_programs.nodes(one) != 0
        and _flag(one, "run-service-proxy", "true") not in _FALSE
    ]


def flag_bits(text: str) -> int:
    """The bits of flags that are named with commas between them, as ipvsadm or kube-router does.

    Raises UsageError for one that kube-router cannot set.
    """
    known = {f"flag-{number}": bit for number, bit in enumerate(FLAG_BITS, 1)}
    able = [SCHEDULERS[name] for name, takes in TAKES.items() if takes]
    known |= {flag: bit for scheduler in able for flag, bit in scheduler.flags}
    bits = 0
    for word in filter(None, (part.strip() for part in text.split(","))):
        if word not in known:
            names = ", ".join(scheduler.name for scheduler in able)
            raise UsageError(
                f"--scheduler-flags {word}: kube-router sets the flags of {names} only:"
                f" {', '.join(known)}"
            )
        bits |= known[word]
    return bits


def flag_words(bits: int) -> str:
    """The same as kube-router's annotation has them."""
    return ",".join(f"flag-{number}" for number, bit in enumerate(FLAG_BITS, 1) if bits & bit)


def marked_services(services: Iterable[Object]) -> Iterator[str]:
    """The keys of virtual servers by fwmark that it makes for direct server return.

    A mark is a hash of the address, protocol and port (generateFwmark).
    """
    for service in services:
        notes = service["metadata"].get("annotations") or {}
        if notes.get(_DSR) != "tunnel":
            continue
        ingress = (service.get("status", {}).get("loadBalancer") or {}).get("ingress") or []
        balancers = [] if _WITHOUT_BALANCERS in notes else [one.get("ip") for one in ingress]
        for host in filter(None, [*(service["spec"].get("externalIPs") or []), *balancers]):
            for port in service["spec"].get("ports") or []:
                protocol = str(port.get("protocol") or "TCP").lower()
                mark = _fnv("-".join((host, protocol, str(port["port"])))) & _MARK_BITS
                yield f"fwmark {mark}"


def read_router(found: Object) -> RouterDaemonSet:
    """Read what its pods are started with."""
    networks = (word.strip() for word in _flag(found, "excluded-cidrs", "").split(","))
    return RouterDaemonSet(
        str(found["metadata"]["name"]),
        daemon_programs.selector(found) or f"k8s-app={ROUTER}",
        daemon_programs.version(daemon_programs.container_of(found, ROUTER)),
        tuple(filter(None, networks)),
    )


def _flag(found: Object, name: str, default: str) -> str:
    """The last value that the command line gives to --`name`; `default` for none."""
    words: list[str] = []
    for text in daemon_programs.command(daemon_programs.container_of(found, ROUTER)):
        words += text.split() if f"{ROUTER} --" in text else [text]  # sh -c "kube-router --..."
    value = default
    for word, following in pairwise([*words, ""]):
        if word.startswith(f"--{name}="):
            value = word.partition("=")[2].strip("\"'")
        elif word == f"--{name}" and not following.startswith("-"):
            value = value if default else following  # a switch takes no word of its own
    return value


def _fnv(text: str) -> int:
    """FNV-1a of 32 bits (hash/fnv, New32a)."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value
