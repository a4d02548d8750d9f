"""The director in user-mode Linux: a real kernel as an ordinary process.

Debian's package brings a kernel with IPVS and all schedulers but twos. Its
root is the host's own, read-only over hostfs, so the project's environment
runs in it as it is. Its network cards are packet sockets on the near ends of
the director's cables, which needs no tap and no /dev/net/tun.
"""

import os
import shutil
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ipvsload.testbed.lab.kernels import base
from ipvsload.testbed.lab.topology import CABLES

PROGRAM = "linux.uml"
PACKAGE = "user-mode-linux"
MODULES = Path("/usr/lib/uml/modules")
_IPVS = "kernel/net/netfilter/ipvs"
FILTER_FILE = "filter.bpf"
_FOR = "x86_64"

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


class UserModeLinux(base.KernelProvider):
    """Debian's linux.uml, for x86-64 only."""

    name = "uml"
    rank = 20
    mend = f"sudo apt-get install {PACKAGE} kmod" if base.PROCESSOR == _FOR else base.NOT_HERE

    def missing(self) -> str | None:
        """The processor, the kernel, its modules and modprobe are looked for."""
        if base.PROCESSOR != _FOR:
            return f"it is for x86-64 only, and this machine is {base.PROCESSOR}"
        if shutil.which(PROGRAM) is None:
            return f"no {PROGRAM} on PATH; install it with: apt-get install {PACKAGE}"
        if not any(MODULES.glob(f"*/{_IPVS}/ip_vs.ko*")):
            return f"no ip_vs under {MODULES}; install it with: apt-get install {PACKAGE}"
        if shutil.which("modprobe", path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
            return "no modprobe; install it with: apt-get install kmod"
        return None

    def has_module(self, module: str, _option: str) -> bool | None:
        """Its modules are files of the package."""
        return any(MODULES.glob(f"*/kernel/net/**/{module}.ko*"))

    def attempts(self, place: base.Place) -> Iterator[base.Attempt]:
        """One: the kernel with the agent as its first process."""
        from ipvsload.testbed.lab import guest_cards, wide_registers

        Path(place.scratch, FILTER_FILE).write_bytes(receive_filter())
        links = [f"vec{number}" for number in range(len(CABLES))]
        init, environment = base.agent(place, links, place.modules, str(MODULES))
        hide = wide_registers.needed()
        if hide:
            environment["GLIBC_TUNABLES"] = wide_registers.TUNABLES

        def prepare() -> None:
            # A user-mode kernel lives by switching between its own processes. Across
            # processors each switch wakes another one, which in a virtual machine
            # takes many times as long; and it uses one at a time anyway.
            processors = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, {processors[place.processor % len(processors)]})
            if hide:
                wide_registers.hide()

        argv = command(init, environment, place.scratch)
        yield base.Attempt(
            self.name,
            argv,
            {"TMPDIR": place.scratch},
            prepare=prepare,
            when_ready=guest_cards.make_room,
        )


def receive_filter() -> bytes:
    """The network cards' filter as the file that `command` expects: struct sock_filter each."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in _FILTER)


def command(init: Sequence[str], environment: Mapping[str, str], scratch: str) -> list[str]:
    """The command line that boots a director which runs `init` as its first process.

    `scratch` is a directory for the kernel's own control files, in which
    FILTER_FILE holds `receive_filter()`. The console is on descriptors 0 and 1.
    The kernel hands NAME=VALUE words that it does not know to init as its
    environment, and the words after -- as arguments.
    """
    program, *arguments = init
    return [
        PROGRAM,
        *("mem=512M", "quiet", "selinux=0", "pty.legacy_count=0", f"uml_dir={scratch}"),
        *("root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro"),
        *("con=null", "con0=fd:0,fd:1"),
        f"initcall_blacklist={','.join(_SKIPPED_AT_BOOT)}",
        *(
            f"vec{number}:{_CARD},ifname={cable.near},bpffile={scratch}/{FILTER_FILE}"
            for number, cable in enumerate(CABLES)
        ),
        *(f"{name}={_value(text)}" for name, text in environment.items()),
        f"init={_value(program)}",
        "--",
        *arguments,
    ]


def _value(text: str) -> str:
    """As the kernel takes a value: in quotes where it has a space (lib/cmdline.c, next_arg)."""
    return f'"{text}"' if " " in text else text
