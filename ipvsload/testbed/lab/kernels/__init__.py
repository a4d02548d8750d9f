"""The registry of kernel providers: what can be the lab's director.

One file a provider. The files of this folder are imported, and the subclasses
of `KernelProvider` that they define are the providers.
"""

from importlib import import_module
from pkgutil import iter_modules

from ipvsload.testbed.lab.kernels.base import KernelProvider

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)

KERNELS: dict[str, KernelProvider] = {
    kind.name: kind()
    for kind in sorted(KernelProvider.__subclasses__(), key=lambda kind: kind.rank)
}
"""By name, in the order in which `auto` tries them."""
AUTO = "auto"
"""Stands for all of them, in order: the first that works is taken."""
CHOICES = (AUTO, *KERNELS)
"""What a person may ask for."""
