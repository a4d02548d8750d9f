"""The kernel's schedulers, one file each; whoever adds one adds a file and nothing else."""

import importlib
import pkgutil

from ipvsload.ipvs_model.schedulers.base import SchedulerRule

RULES: dict[str, type[SchedulerRule]] = {
    rule.name: rule
    for module in pkgutil.iter_modules(__path__)
    for rule in vars(importlib.import_module(f"{__name__}.{module.name}")).values()
    if isinstance(rule, type) and issubclass(rule, SchedulerRule) and "name" in vars(rule)
}
"""By the scheduler's name."""
