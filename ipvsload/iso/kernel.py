"""What one kernel has, by its configuration, its list of modules, or both; told to people. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ipvsload.ipvs.kernel_features import FEATURES, Feature, FeatureKind
from ipvsload.iso import kernel_config

_WORDS = {True: "has", False: "LACKS", None: "?"}


class Kernel(NamedTuple):
    """A kernel that was inspected; `place` says where, for people."""

    place: str
    release: str
    """Such as 6.6.95; "" where nothing says it."""
    options: dict[str, str] | None
    """Its configuration, where that could be read."""
    modules: frozenset[str] | None
    """Its modules, the built-in ones too, where their lists could be read."""


def has_feature(kernel: Kernel, feature: Feature) -> bool | None:
    """Whether the kernel has it; None where what is at hand does not tell.

    A module's file proves more than the configuration does: images leave some out.
    """
    if feature.module and kernel.modules is not None:
        return feature.module in kernel.modules or (
            kernel.options is not None and kernel.options.get(feature.option) == "y"
        )
    if kernel.options is not None:
        return kernel_config.enabled(kernel.options, feature.option, *feature.given_by)
    # Netfilter builds no module of its own, but these three cannot be without it.
    if feature.option == "NETFILTER" and kernel.modules is not None:
        return bool({"ip_vs", "nf_conntrack", "x_tables"} & kernel.modules) or None
    return None


def new_enough(release: str, feature: Feature) -> bool:
    """Whether a kernel of this release can have it at all; true where that is unknown."""
    numbers = re.match(r"(\d+)\.(\d+)", release)
    return numbers is None or (int(numbers[1]), int(numbers[2])) >= feature.since


class FeatureCheck(NamedTuple):
    """A feature and whether the kernel has it (None: unknown), and why not, if that is known."""

    feature: Feature
    present: bool | None
    note: str


def check_features(kernel: Kernel) -> list[FeatureCheck]:
    """Every feature, in the order of FEATURES."""
    found = []
    for feature in FEATURES:
        present = has_feature(kernel, feature)
        late = not present and not new_enough(kernel.release, feature)
        note = f"came with Linux {feature.since[0]}.{feature.since[1]}" if late else ""
        found.append(FeatureCheck(feature, present, note))
    return found


def supports_kube_proxy(checks: Iterable[FeatureCheck]) -> bool:
    """Whether kube-proxy's IPVS mode can work; a feature that is unknown does not count."""
    return all(check.present is not False for check in checks if check.feature.kube_proxy)


def describe(kernel: Kernel, checks: Sequence[FeatureCheck]) -> str:
    """Every feature under its heading, and last lines that say what follows."""
    lines = [
        f"{kernel.place}: Linux {kernel.release or 'of unknown version'}",
        "*: what kube-proxy's IPVS mode needs; the rest is for LVS and other uses",
    ]
    for kind in FeatureKind:
        lines.append(f"{kind.value}:")
        lines += [_line(check) for check in checks if check.feature.kind is kind]
    lacks = [check.feature for check in checks if check.present is False]
    proxy = [feature.name for feature in lacks if feature.kube_proxy]
    others = [feature.name for feature in lacks if not feature.kube_proxy]
    if any(check.present is None for check in checks):
        lines.append("?: an image shows modules only, not options that build none")
    if proxy:
        lines.append(f"kube-proxy's IPVS mode will not work: no {', '.join(proxy)}")
    else:
        lines.append("kube-proxy's IPVS mode has what it needs")
    if others:
        lines.append(f"not there, and not kube-proxy's need: {', '.join(others)}")
    return "".join(f"{line}\n" for line in lines)


def _line(check: FeatureCheck) -> str:
    feature = check.feature
    star = "*" if feature.kube_proxy else " "
    note = f" ({check.note})" if check.note else ""
    return (
        f"  {_WORDS[check.present]:5} {star} {feature.name:19}"
        f" CONFIG_{feature.option:27} {feature.why}{note}"
    )
