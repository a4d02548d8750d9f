"""The director in user-mode Linux: a real kernel as an ordinary process.

Debian's package brings a kernel with IPVS and all schedulers but twos. Its
root is the host's own, read-only over hostfs, so the project's environment
runs in it as it is. It takes the far ends of the lab's two cables as its
network cards with packet sockets, which needs no tap and no /dev/net/tun.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

PROGRAM = "linux.uml"
PACKAGE = "user-mode-linux"
MODULES = Path("/usr/lib/uml/modules")

# Boot work that a director has no use for: benchmarks of RAID code (5 x 0.17 s)
# and 256 legacy terminals (0.6 s).
_SKIPPED_AT_BOOT = (
    "raid6_select_algo",
    "calibrate_xor_blocks",
    "register_xor_blocks",
    "init_btrfs_fs",
)
_CARD = "transport=raw,depth=128,gro=1"


def missing() -> str | None:
    """What user-mode Linux lacks on this machine, or None."""
    if shutil.which(PROGRAM) is None:
        return f"no {PROGRAM} on PATH; install it with: apt-get install {PACKAGE}"
    if not any(MODULES.glob("*/kernel/net/netfilter/ipvs/ip_vs.ko*")):
        return f"no ip_vs under {MODULES}; install it with: apt-get install {PACKAGE}"
    if shutil.which("modprobe", path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
        return "no modprobe; install it with: apt-get install kmod"
    return None


def command(init: Sequence[str], environment: Mapping[str, str], scratch: str) -> list[str]:
    """The command line that boots a director which runs `init` as its first process.

    `scratch` is a directory for the kernel's own control files. The console
    is on descriptors 0 and 1. The kernel hands NAME=VALUE words that it does
    not know to init as its environment, and the words after -- as arguments.
    """
    program, *arguments = init
    return [
        PROGRAM,
        "mem=512M",
        f"uml_dir={scratch}",
        "root=/dev/root",
        "rootfstype=hostfs",
        "rootflags=/",
        "ro",
        "quiet",
        "con=null",
        "con0=fd:0,fd:1",
        "selinux=0",
        "pty.legacy_count=0",
        f"initcall_blacklist={','.join(_SKIPPED_AT_BOOT)}",
        f"vec0:{_CARD},ifname=d0",
        f"vec1:{_CARD},ifname=d1",
        *(f"{name}={value}" for name, value in environment.items()),
        f"init={program}",
        "--",
        *arguments,
    ]
