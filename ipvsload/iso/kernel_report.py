"""A kernel's findings as lines for people. Pure."""

from collections.abc import Sequence

from ipvsload.iso.kernel import Finding, Kernel, fit_for_kube_proxy
from ipvsload.iso.kernel_needs import Kind

_WORDS = {True: "has", False: "LACKS", None: "?"}


def describe(kernel: Kernel, findings: Sequence[Finding]) -> str:
    """Every need under its heading, and a last line that says what follows."""
    lines = [
        f"{kernel.place}: Linux {kernel.release or 'of unknown version'}",
        "*: what kube-proxy's IPVS mode needs; the rest is for LVS and other uses",
    ]
    for kind in Kind:
        lines.append(f"{kind.value}:")
        lines += [_line(finding) for finding in findings if finding.need.kind is kind]
    lacks = [found.need for found in findings if found.has is False]
    unknown = any(found.has is None for found in findings)
    proxy = [need.name for need in lacks if need.kube_proxy]
    others = [need.name for need in lacks if not need.kube_proxy]
    if unknown:
        lines.append("?: an image shows modules only, not options that build none")
    if fit_for_kube_proxy(findings):
        lines.append("kube-proxy's IPVS mode has what it needs")
    else:
        lines.append(f"kube-proxy's IPVS mode will not work: no {', '.join(proxy)}")
    if others:
        lines.append(f"not there, and not kube-proxy's need: {', '.join(others)}")
    return "".join(f"{line}\n" for line in lines)


def _line(finding: Finding) -> str:
    need = finding.need
    star = "*" if need.kube_proxy else " "
    note = f" ({finding.note})" if finding.note else ""
    return (
        f"  {_WORDS[finding.has]:5} {star} {need.name:19} CONFIG_{need.option:27} {need.why}{note}"
    )
