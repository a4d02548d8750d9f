"""Balancers that a cluster cannot have: known before kube-proxy is touched. Pure."""

import re
from collections.abc import Iterable, Mapping

from ipvsload.ipvs.schedulers import module_of
from ipvsload.testbed import balancers


def missing_balancers(
    names: Iterable[str], version: str, kernels: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Those of `names` that are surely missing, with the reason for each.

    `version` is kube-proxy's ("v1.33.1"). `kernels` has, by node, the schedulers
    of its kernel as the sidecar's kernel_schedulers.py tells them. What is not
    known is not missing.
    """
    found = re.match(r"v?(\d+)\.(\d+)", version)
    number = (int(found[1]), int(found[2])) if found else None
    missing = {}
    for name in names:
        balancer = balancers.find(name)
        lacking = [node for node, states in kernels.items() if states.get(name) == "absent"]
        if number and number < balancer.since:
            first = ".".join(map(str, balancer.since))
            missing[name] = f"kube-proxy {version} does not have this mode, {first} has"
        elif balancer.in_ipvs_table and lacking:
            missing[name] = (
                f"the kernel of {', '.join(lacking)} does not have this scheduler, module"
                f" {module_of(name)}; `ipvsload doctor --testbed kubernetes` says what would"
            )
    return missing
