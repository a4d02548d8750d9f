"""A kernel's configuration, as a full .config or as a defconfig. Pure."""

import re
from collections.abc import Mapping

_SET = re.compile(r"^CONFIG_(\w+)=(.*)$")
_UNSET = re.compile(r"^# CONFIG_(\w+) is not set$")
_VERSION = re.compile(r"^# Linux/\S+ (\d+\.\d+\S*) Kernel Configuration$", re.MULTILINE)


def parse(text: str) -> dict[str, str]:
    """Options without CONFIG_ and their values: y, m, n, or a quoted string or number."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if match := _SET.match(line):
            found[match[1]] = match[2]
        elif match := _UNSET.match(line):
            found[match[1]] = "n"
    return found


def version(text: str) -> str | None:
    """The kernel that wrote this configuration, from its head; a defconfig has none."""
    found = _VERSION.search(text)
    return found[1] if found else None


def enabled(config: Mapping[str, str], *options: str) -> bool:
    """Whether one of the options is built in or a module."""
    return any(config.get(option, "n") in ("y", "m") for option in options)
