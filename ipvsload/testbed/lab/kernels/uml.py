"""The director in user-mode Linux: a real kernel as an ordinary process.

Debian's package brings a kernel with IPVS and all schedulers but twos. Its
root is the host's own, read-only over hostfs, so the project's environment
runs in it as it is. It takes the far ends of the lab's two cables as its
network cards with packet sockets, which needs no tap and no /dev/net/tun.
"""

import platform
import shutil
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from ipvsload.testbed.lab.topology import Cable

PROGRAM = "linux.uml"
PACKAGE = "user-mode-linux"
MODULES = Path("/usr/lib/uml/modules")
FILTER_FILE = "filter.bpf"

# Boot work that a director has no use for: benchmarks of RAID code (5 x 0.17 s)
# and 256 legacy terminals (0.6 s).
_SKIPPED_AT_BOOT = (
    "raid6_select_algo",
    "calibrate_xor_blocks",
    "register_xor_blocks",
    "init_btrfs_fs",
)
_CARD = "transport=raw,depth=128,gro=1"

# The guest sends on one packet socket and receives on another, which is shown
# what the first one sent. Half of all packets would be its own: a classic BPF
# program (include/uapi/linux/filter.h) drops them before the socket's queue.
_PACKET_TYPE = 0xFFFFF004  # SKF_AD_OFF + SKF_AD_PKTTYPE
_PACKET_OUTGOING = 4
_FILTER = (
    (0x20, 0, 0, _PACKET_TYPE),  # load
    (0x15, 0, 1, _PACKET_OUTGOING),  # if it is equal
    (0x06, 0, 0, 0),  # take nothing of the packet
    (0x06, 0, 0, 0x40000),  # else all of it
)


def missing() -> str | None:
    """What user-mode Linux lacks on this machine, or None."""
    if platform.machine() != "x86_64":
        return f"it is for x86-64 only, and this machine is {platform.machine()}"
    if shutil.which(PROGRAM) is None:
        return f"no {PROGRAM} on PATH; install it with: apt-get install {PACKAGE}"
    if not any(MODULES.glob("*/kernel/net/netfilter/ipvs/ip_vs.ko*")):
        return f"no ip_vs under {MODULES}; install it with: apt-get install {PACKAGE}"
    if shutil.which("modprobe", path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
        return "no modprobe; install it with: apt-get install kmod"
    return None


def receive_filter() -> bytes:
    """The cards' filter as the file that `command` expects: struct sock_filter each."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in _FILTER)


def command(
    init: Sequence[str], environment: Mapping[str, str], scratch: str, cables: Sequence[Cable]
) -> list[str]:
    """The command line that boots a director which runs `init` as its first process.

    `scratch` is a directory for the kernel's own control files, in which
    FILTER_FILE holds `receive_filter()`. The console
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
        *(
            f"vec{number}:{_CARD},ifname={cable.near},bpffile={scratch}/{FILTER_FILE}"
            for number, cable in enumerate(cables)
        ),
        *(f"{name}={value}" for name, value in environment.items()),
        f"init={program}",
        "--",
        *arguments,
    ]
