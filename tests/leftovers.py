"""What a command left behind: processes with its mark, and files in known places."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.patience import HUNG_AFTER_S

_MARK = "IPVSLOAD_TEST_MARK"


class Marked:
    """Processes whose environment carries a mark: a command and all its children."""

    def __init__(self, mark: str) -> None:
        self.environment = {**os.environ, _MARK: mark}
        self._mark = f"{_MARK}={mark}".encode()

    def processes(self) -> list[int]:
        """Their pids."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if self._mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def guest(self) -> int:
        """The pid of the user-mode kernel or of the virtual machine.

        A user-mode kernel has helpers of the same name, whose pids are not
        always higher: pids begin anew at the kernel's pid_max. The first of
        them leads their session.
        """
        guests = (b"linux.uml", b"qemu-system")
        return next(
            pid for pid in self.processes() if leads(pid) and command_line(pid).startswith(guests)
        )

    def gone(self) -> bool:
        """Whether all are gone soon."""
        deadline = time.monotonic() + HUNG_AFTER_S
        while self.processes():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def command_line(pid: int) -> bytes:
    """Its words; none of a process that has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def leads(pid: int) -> bool:
    """Whether it is the first process of its session."""
    try:
        return os.getsid(pid) == pid
    except OSError:
        return False


@contextmanager
def nothing_left(mark: str) -> Iterator[Marked]:
    """A mark for commands started within; on leaving, nothing of them may be left."""
    before = _files()
    marked = Marked(mark)
    try:
        yield marked
        assert marked.gone(), marked.processes()
        assert _files() <= before
    finally:
        for pid in marked.processes():
            os.kill(pid, signal.SIGKILL)


def _files() -> set[str]:
    """Where a lab could leave files: only names that are ours or user-mode Linux's."""
    roots = [*map(Path, ("/tmp", "/dev/shm", "/run", "/run/netns")), Path.home() / ".uml"]
    return {
        str(path)
        for root in roots
        if root.is_dir()
        for path in root.iterdir()
        if re.search(r"uml|qemu|vm_file|netns/|/ipvsload", str(path))
    }
