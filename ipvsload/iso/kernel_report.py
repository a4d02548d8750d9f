"""The features of a kernel as lines for people. Pure."""

from collections.abc import Sequence

from ipvsload.ipvs.kernel_features import FeatureKind
from ipvsload.iso.kernel import FeatureCheck, Kernel

_WORDS = {True: "has", False: "LACKS", None: "?"}


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
