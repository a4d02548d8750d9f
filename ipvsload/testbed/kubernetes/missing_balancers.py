"""Balancers that a cluster cannot have: known before anything is switched. Pure."""

from collections.abc import Callable, Iterable, Mapping

from ipvsload.ipvs.schedulers import module_of
from ipvsload.scenario import balancers
from ipvsload.scenario.balancers import Balancer


def missing_balancers(
    names: Iterable[str],
    lacks: Callable[[Balancer], str],
    kernels: Mapping[str, Mapping[str, str]],
) -> dict[str, str]:
    """Those of `names` that are surely missing, with the reason for each.

    `lacks` is the service proxy's word. `kernels` has, by node, the schedulers of
    its kernel as the sidecar's kernel_schedulers.py tells them. What is not known
    is not missing.
    """
    missing = {}
    for name in names:
        balancer = balancers.find(name)
        lacking = [node for node, states in kernels.items() if states.get(name) == "absent"]
        if why := lacks(balancer):
            missing[name] = why
        elif balancer.in_ipvs_table and lacking:
            missing[name] = (
                f"the kernel of {', '.join(lacking)} does not have this scheduler, module"
                f" {module_of(name)}; `ipvsload doctor --testbed kubernetes` says what would"
            )
    return missing
