"""Who runs: the user, machine and process, and whether that machine is this one."""

import getpass
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunOwner:
    """`boot` is the kernel's name for this start of the machine; `since_s` is unix time."""

    user: str
    host: str
    boot: str
    pid: int
    since_s: float

    @classmethod
    def here(cls) -> "RunOwner":
        """This process."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a container's user without a name
            user = str(os.getuid())
        return cls(user, socket.gethostname(), _boot(), os.getpid(), time.time())

    def words(self) -> str:
        """Who it is, where and since when."""
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since_s))
        return f"{self.user}@{self.host}, process {self.pid}, since {since}"

    @property
    def elsewhere(self) -> bool:
        """Whether it was another machine; one that was started anew is the same."""
        return self.boot != _boot() and self.host != socket.gethostname()


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""
