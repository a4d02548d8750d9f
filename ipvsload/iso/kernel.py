"""What one kernel has: from its configuration, from its list of modules, or both. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from ipvsload.iso import kernel_config as config
from ipvsload.iso.kernel_needs import NEEDS, Need


class Kernel(NamedTuple):
    """A kernel that was looked at; `place` says where, for people."""

    place: str
    release: str
    """Such as 6.6.95; "" where nothing says it."""
    options: dict[str, str] | None
    """Its configuration, where that could be had."""
    modules: frozenset[str] | None
    """Its modules and built-in ones, where their lists could be had."""


def has(kernel: Kernel, need: Need) -> bool | None:
    """Whether the kernel has it; None where this cannot be known from what is at hand.

    A module's file proves more than the configuration does: images leave some out.
    """
    if need.module and kernel.modules is not None:
        return need.module in kernel.modules or (
            kernel.options is not None and kernel.options.get(need.option) == "y"
        )
    if kernel.options is not None:
        return config.enabled(kernel.options, need.option, *need.given_by)
    # What builds no module of its own: with ip_vs or x_tables comes netfilter.
    if need.option == "NETFILTER" and kernel.modules is not None:
        return bool({"ip_vs", "nf_conntrack", "x_tables"} & kernel.modules) or None
    return None


def module_names(*lists: Iterable[str]) -> frozenset[str]:
    """Module names of the lines of modules.dep and modules.builtin."""
    paths = (line.partition(":")[0].strip() for lines in lists for line in lines)
    return frozenset(
        path.rpartition("/")[2].partition(".ko")[0].replace("-", "_") for path in paths if path
    )


def new_enough(release: str, need: Need) -> bool:
    """Whether a kernel of this release can have it at all; true where that is unknown."""
    numbers = release.split(".")[:2]
    try:
        found = int(numbers[0]), int(numbers[1])
    except (ValueError, IndexError):
        return True
    return found >= need.since


class Finding(NamedTuple):
    """A need and whether the kernel has it (None: unknown), and why not, if that is known."""

    need: Need
    has: bool | None
    note: str


def examine(kernel: Kernel) -> list[Finding]:
    """Every need, in the table's order."""
    found = []
    for need in NEEDS:
        present = has(kernel, need)
        note = ""
        if not present and not new_enough(kernel.release, need):
            note = f"came with Linux {need.since[0]}.{need.since[1]}"
        found.append(Finding(need, present, note))
    return found


def fit_for_kube_proxy(findings: Iterable[Finding]) -> bool:
    """Whether kube-proxy's IPVS mode can work; what is unknown is not held against it."""
    return all(found.has is not False for found in findings if found.need.kube_proxy)
