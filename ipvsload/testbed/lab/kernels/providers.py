"""The kernel providers of this folder as objects."""

from importlib import import_module

from ipvsload.testbed.lab.kernels import NAMES
from ipvsload.testbed.lab.kernels.base import KernelProvider

for _name in NAMES:
    import_module(f"{__package__}.{_name}")

KERNELS: dict[str, KernelProvider] = {
    kind.name: kind()
    for kind in sorted(KernelProvider.__subclasses__(), key=lambda kind: kind.rank)
}
"""By name, in the order in which `auto` tries them."""
