"""What this machine is and which programs make the load on it, for the record."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ipvsload.record.recorded_machine import RecordedMachine

_PACKAGES = ("gevent", "httptools", "locust", "numpy", "pyroute2")
"""Those that are in the way of a request or of a sample."""
_PROCESSORS = Path("/proc/cpuinfo")
_MEMORY = Path("/proc/meminfo")


def described_machine() -> RecordedMachine:
    """It, as far as the system tells."""
    memory_kib = _field(_MEMORY, "MemTotal").removesuffix("kB")
    return RecordedMachine(
        # ARM's kernel has no model's name there.
        processor=_field(_PROCESSORS, "model name") or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(int(memory_kib) / 2**20, 1) if memory_kib else None,
        kernel=platform.release(),
        versions={
            "python": platform.python_version(),
            **{name: found for name in _PACKAGES if (found := _installed(name))},
        },
    )


def _field(path: Path, name: str) -> str:
    """The first value of this name in a file of "name: value" lines; "" where there is none."""
    try:
        for line in path.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == name:
                return " ".join(value.split())
    except (OSError, ValueError):
        pass
    return ""


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
