"""What tells a process from a later one of the same number: the machine's boot, and its start."""

import os
from contextlib import suppress
from pathlib import Path


def identify(pid: int) -> str:
    """As "BOOT START"; "" where the system does not say (no Linux, or it is hidden).

    START is field 22 of /proc/PID/stat, in ticks since the boot (proc(5)).
    """
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return f"{_boot()} {fields[19]}"
    return ""


def lives(pid: int, identity: str) -> bool:
    """Whether the process of this number and identity is alive on this machine.

    An identity of "" is any: the number decides.
    """
    boot, _, _ = identity.partition(" ")
    if boot and boot != _boot():
        return False
    with suppress(PermissionError):  # it is another user's
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return not identity or identify(pid) in ("", identity)


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""
