"""Event-driven load tests for IPVS, the load balancer in the Linux kernel.

What locustfiles need is here. It is imported when asked for: Locust takes half
a second to import and patches the whole process.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_HOMES = {
    "IpvsUser": "load.users",
    "LongUser": "load.users",
    "ShortUser": "load.users",
    "ScenarioShape": "locust_plugin.load_tests.scenario_shape",
    "scenario_users": "locust_plugin.load_tests.scenario_shape",
    "watch": "locust_plugin.registration",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"ipvsload.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
