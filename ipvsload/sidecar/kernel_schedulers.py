"""Which schedulers the kernel here has: loaded, built in, or as modules that it can load."""

import os

from ipvsload.ipvs.kernel_modules import MODULE_LISTS, module_states
from ipvsload.ipvs.schedulers import SCHEDULERS


def scheduler_states() -> dict[str, str]:
    """By name "loaded", "built in", "loadable" or "absent".

    Empty where /lib/modules does not have this kernel's lists, as in many a container.
    """
    directory = f"/lib/modules/{os.uname().release}"
    if not os.path.isdir(directory):
        return {}
    lists = [_text(f"{directory}/{name}") for name in MODULE_LISTS]
    if not any(lists):
        return {}
    modules = [scheduler.module for scheduler in SCHEDULERS.values()]
    states = module_states(modules, _text("/proc/modules"), *lists)
    return dict(zip(SCHEDULERS, states.values(), strict=True))


def _text(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
