"""Event-driven load tests for IPVS, the load balancer in the Linux kernel.

The Locust users are here for locustfiles. They are imported when asked for:
Locust takes half a second to import and patches the whole process.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

__all__ = ["IpvsUser", "LongUser", "ShortUser", "__version__"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("ipvsload.load.users"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
