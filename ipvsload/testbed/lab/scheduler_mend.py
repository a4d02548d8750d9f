"""Which kernel of the lab can balance by what another one cannot, for people."""

from collections.abc import Sequence

from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.netfilter.nat_kinds import NAT_KINDS


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
    return _having(needs) or f"kernels have it where {options} are set"


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
