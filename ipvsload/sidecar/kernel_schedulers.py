"""Which schedulers the kernel here has: loaded, built in, or as modules that it can load."""

import functools
import os

from ipvsload.ipvs.kernel_modules import MODULE_LISTS, module_states
from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.sidecar.kernel_files import text_of


@functools.cache
def scheduler_states() -> dict[str, str]:
    """By name "loaded", "built in", "loadable" or "absent".

    Empty where /lib/modules does not have this kernel's lists, as in many a container.
    """
    directory = f"/lib/modules/{os.uname().release}"
    if not os.path.isdir(directory):
        return {}
    lists = [text_of(f"{directory}/{name}") for name in MODULE_LISTS]
    if not any(lists):
        return {}
    modules = [scheduler.module for scheduler in SCHEDULERS.values()]
    states = module_states(modules, text_of("/proc/modules"), *lists)
    return dict(zip(SCHEDULERS, states.values(), strict=True))
