"""The system calls that make and enter namespaces.

The standard library has setns and unshare from Python 3.12 on only, and mount
not at all. The program `mount` fails inside user-mode Linux when the lab
belongs to an ordinary user: it is set-uid, and hostfs shows another owner.
"""

import ctypes
import os
import signal
from collections.abc import Sequence
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

_LAB_RIGHTS = 1 << 12 | 1 << 13 | 1 << 21
"""CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN (include/uapi/linux/capability.h)."""

MS_REC = 0x4000
MS_PRIVATE = 0x40000
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the namespaces of `flags` for new ones. Raises OSError."""
    _checked(_libc.unshare(flags), "unshare")


def setns(descriptor: int, flags: int = 0) -> None:
    """Enter the namespace that `descriptor` stands for. Raises OSError."""
    _checked(_libc.setns(descriptor, flags), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0) -> None:
    """Mount a file system by system call: the program may be missing. Raises OSError."""
    flags_long = ctypes.c_ulong(flags)
    result = _libc.mount(source.encode(), target.encode(), kind.encode(), flags_long, None)
    _checked(result, f"mount {kind or source} on {target}")


def prctl(*arguments: Any) -> None:
    """Change something of this process. Raises OSError."""
    _checked(_libc.prctl(*arguments), "prctl")


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when `parent`, its parent, ends.

    The parent may have ended before the kernel was told; then end at once.
    """
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def new_network() -> int:
    """Enter a new network namespace and return a descriptor that keeps it."""
    unshare(CLONE_NEWNET)
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def is_root_of_namespaces() -> bool:
    """Whether this process may make and wire a lab's namespaces as it is.

    Root of a container often has not all of its rights.
    """
    with open("/proc/self/status") as file:
        rights = next(line for line in file if line.startswith("CapEff:"))
    return int(rights.split()[1], 16) & _LAB_RIGHTS == _LAB_RIGHTS


def become_root_in_user_namespace() -> None:
    """Make this process root of a new user namespace.

    For all others: root of a user namespace may make the other namespaces.
    Must be called while the process has one thread. Raises OSError where the
    machine does not permit it.
    """
    uid, gid = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER)
    settings = {"setgroups": "deny", "uid_map": f"0 {uid} 1", "gid_map": f"0 {gid} 1"}
    for name, text in settings.items():
        try:
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        except OSError as error:
            raise OSError(error.errno, f"write {name}: {error.strerror}") from None


def private_mounts(keep_visible: Sequence[str]) -> str:
    """Give the lab mounts of its own. Returns a scratch directory that ends with it.

    A tmpfs is mounted over a directory that has nothing of `keep_visible`, the
    paths that the lab reads. Raises OSError, and RuntimeError where there is no
    such directory.
    """
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc")
    for place in ("/dev/shm", "/run", "/mnt"):
        if not any(path.startswith(place + "/") for path in keep_visible) and os.path.isdir(place):
            mount("ipvsload", place, "tmpfs")
            return place
    raise RuntimeError("no directory for scratch files: /dev/shm, /run and /mnt are all in use")
