"""Which kernel of the lab can balance by what another one cannot, for people."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ipvsload.ipvs.schedulers import SCHEDULERS, module_of
from ipvsload.netfilter.nat_kinds import NAT_KINDS
from ipvsload.testbed.lab.addresses import IPV4

if TYPE_CHECKING:
    from ipvsload.testbed.lab.director_client import DirectorClient


def why_missing(
    director: "DirectorClient", key: str, kernel: str, balancers: Sequence[str], family: str
) -> Mapping[str, str]:
    """Which of these the director's kernel cannot have, and why; each is tried on service `key`.

    `kernel` names it for people; `family` is one of addresses.PLANS. Raises TestbedError.
    """
    others = [name for name in balancers if name in NAT_KINDS]
    schedulers = [name for name in balancers if name not in NAT_KINDS]
    if others and family != IPV4:
        return dict.fromkeys(others, "it is for IPv4 only here: take away `family: ipv6`")
    missing = director.ask("missing_schedulers", key=key, names=schedulers)
    why: dict[str, str] = {}
    for name in others:
        why |= director.ask("nat", change="missing", key=key, names=[name])
    return {
        name: f"the lab's kernel ({kernel}) cannot balance by it ({reason}); {nat_mend(name)}"
        for name, reason in why.items()
    } | {
        name: f"the lab's kernel ({kernel}) does not have this scheduler,"
        f" module {module_of(name)}; {scheduler_mend(name)}"
        for name in missing
    }


def scheduler_mend(name: str) -> str:
    """The `--kernel` that has the scheduler, and what that lacks here; or what one would need."""
    scheduler = SCHEDULERS.get(name)
    if scheduler is None:
        return f"no kernel that is known here has {name}"
    first = ".".join(map(str, scheduler.since))
    return _having([(scheduler.module, scheduler.option)]) or (
        f"kernels from {first} on have it where CONFIG_{scheduler.option} is set"
    )


def nat_mend(name: str) -> str:
    """The same for what balances without IPVS."""
    needs = NAT_KINDS[name].needs
    options = " and ".join(f"CONFIG_{option}" for _, option in needs)
    return _having(needs) or (
        f"kernels have it where {options} are set, as the one that `ipvsload iso build` brings for"
        " --kernel qemu"
    )


def _having(needs: Sequence[tuple[str, str]]) -> str:
    """The kernel that has these modules (each with its option); "" where none is known."""
    # Imports every provider: only where there is something to mend.
    from ipvsload.testbed.lab.kernels.providers import KERNELS

    having = [one for one in KERNELS.values() if all(one.has_module(*need) for need in needs)]
    ready = [kernel for kernel in having if not kernel.missing()]
    if ready:
        return " or ".join(f"--kernel {kernel.name}" for kernel in ready) + " has it"
    if having:
        return f"--kernel {having[0].name} has it, and is not there: {having[0].mend}"
    return ""
