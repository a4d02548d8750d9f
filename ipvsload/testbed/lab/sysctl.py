"""Kernel parameters of the namespace or kernel that the caller is in."""

from collections.abc import Mapping


def write_sysctls(values: Mapping[str, str]) -> None:
    """Write each value to /proc/sys; names are paths below it. Raises OSError."""
    for name, value in values.items():
        with open(f"/proc/sys/{name}", "w") as file:
            file.write(value)
