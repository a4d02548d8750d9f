"""Which kernel of the lab has a scheduler that another one lacks, for people."""

from ipvsload.ipvs.schedulers import SCHEDULERS


def scheduler_mend(name: str) -> str:
    """The `--kernel` that has it, and what that lacks here; or what a kernel would need."""
    # Imports every provider: only where there is something to mend.
    from ipvsload.testbed.lab.kernels.providers import KERNELS

    scheduler = SCHEDULERS.get(name)
    if scheduler is None:
        return f"no kernel that is known here has {name}"
    having = [kernel for kernel in KERNELS.values() if kernel.has_scheduler(scheduler)]
    ready = [kernel for kernel in having if not kernel.missing()]
    if ready:
        return " or ".join(f"--kernel {kernel.name}" for kernel in ready) + " has it"
    if having:
        return f"--kernel {having[0].name} has it, and is not there: {having[0].mend}"
    first = ".".join(map(str, scheduler.since))
    return f"kernels from {first} on have it where CONFIG_{scheduler.option} is set"
