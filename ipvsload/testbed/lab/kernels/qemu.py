"""The director in a virtual machine: a stock kernel, for this machine's kind of processor.

The machine boots the director image (director_image.py, docs/iso.md) by its kernel
and initramfs. This ipvsload's own agent and sidecar are appended to the initramfs,
so the image need not be built again when they change. Its network card is a
tap, bridged to both of the director's cables: QEMU takes no packet sockets,
as user-mode Linux does (net/dgram.c knows only AF_UNIX and AF_INET). It is one
card, because QEMU serves cards one after the other: what left by two would
arrive in another order than the director sent it, and nobody could tell in
which order it had decided.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ipvsload.cpio import archive, file
from ipvsload.director_image import FILES, IMAGE, NO_HOME, how_to_build, image
from ipvsload.shipped_files import PACKAGE
from ipvsload.testbed.lab import network, taps
from ipvsload.testbed.lab.kernels import base
from ipvsload.testbed.lab.topology import CABLES, TAP


class Processor(NamedTuple):
    """What QEMU must be told for a kind of processor."""

    package: str
    program: str
    machine: str
    emulated: str
    """The processor's model without KVM."""
    console: str


PROCESSORS = {
    # Not microvm, which boots 1 s sooner: there the kernel can calibrate its clocks
    # by the PIT only, and on a busy host it then waits for ever.
    "x86_64": Processor("qemu-system-x86", "qemu-system-x86_64", "q35", "max", "ttyS0"),
    "aarch64": Processor(
        *("qemu-system-arm", "qemu-system-aarch64", "virt,gic-version=max"),
        "max,pauth-impdef=on",  # the default signing of pointers is slow to emulate
        "ttyAMA0",
    ),
}
"""By the name that uname has for the processor."""

CODE = "/run/code"
"""Where the image's /init leaves what was in /code of its initramfs."""
_PYTHON = "/usr/bin/python3"
_IMPORT_PATH = (CODE, "/usr/lib/python3/dist-packages")  # there is pyroute2
PARTS = ("", "ipvs", "netfilter", "sidecar", "testbed", "testbed/lab")
"""The packages of ipvsload that the agent imports from."""

_CARD = "eth0"
_MEMORY = "256M"
_MACHINES = ("kvm", "tcg")
"""QEMU's accelerators, the faster first."""
FIRST_LINE = "ipvsload: first root"
"""What the image's /init prints at once."""
FIRST_LINE_WITHIN = {"kvm": 5.0, "tcg": 40.0}
"""Seconds in which it must print that: one is enough with a KVM that works, three
without KVM, more where other programs need the processor too."""


class VirtualMachine(base.KernelProvider):
    """QEMU, with KVM or without."""

    name = "qemu"
    rank = 30
    mend = (
        f"sudo apt-get install {PROCESSORS[base.PROCESSOR].package}, and: {how_to_build()}"
        if base.PROCESSOR in PROCESSORS
        else base.NOT_HERE
    )

    def missing(self) -> str | None:
        """QEMU, the image and the right to make taps are looked for."""
        return missing(base.PROCESSOR, image()) or taps.missing()

    def has_module(self, _module: str, option: str) -> bool | None:
        """The image has the configuration of its kernel beside it."""
        place = image()
        if place is None:
            return None
        try:
            config = (place / "config").read_text()
        except OSError:
            return None
        return any(f"CONFIG_{option}={state}\n" in config for state in "my")

    def files(self) -> tuple[str, ...]:
        """The image."""
        place = image()
        return (str(place),) if place else ()

    def attempts(self, place: base.Place) -> Iterator[base.Attempt]:
        """One for each accelerator, all with the same tap."""
        initrd, built = f"{place.scratch}/initrd.img", image()
        if built is None:
            raise RuntimeError(NO_HOME)
        with open(initrd, "wb") as out:
            out.write((built / "initrd.img").read_bytes())
            out.write(code(PACKAGE))
        tap = taps.open_tap(TAP)  # held open here too: the next attempt uses the same one
        network.run_ip(network.bridge())
        init, environment = first_program(place)
        for accelerator in working_accelerators():
            yield base.Attempt(
                f"{self.name}/{accelerator}",
                command(base.PROCESSOR, built, initrd, accelerator, tap, init, environment),
                {},
                descriptors=[tap],
                first_line=FIRST_LINE,
                first_line_within=FIRST_LINE_WITHIN[accelerator],
            )


def missing(processor: str, place: Path | None) -> str | None:
    """What a machine with this processor lacks to run the image in `place`, or None."""
    known = PROCESSORS.get(processor)
    if known is None:
        return f"no director image for {processor}, only for {', '.join(PROCESSORS)}"
    if shutil.which(known.program) is None:
        return f"no {known.program} on PATH; install it with: apt-get install {known.package}"
    if place is None:
        return f"{NO_HOME}, or an image in {IMAGE}"
    for name in FILES:
        if not os.access(place / name, os.R_OK):
            return f"no director image ({place / name}); build it with: {how_to_build()}"
    return None


def accelerators(processor: str, cpuinfo: str, *, kvm: bool) -> tuple[str, ...]:
    """Which ways of running a machine to try, in order.

    `kvm` is whether /dev/kvm could be opened. It may be and still run no stock
    kernel: on x86 without the processor's own help (/proc/cpuinfo's vmx or
    svm), some hosts offer a KVM on which only kernels that were made for it run.
    arm64's cpuinfo has no such word. Where KVM looks right it is tried, and the
    machine must print its first line in time (FIRST_LINE_WITHIN).
    """
    flags = {word for line in cpuinfo.splitlines() for word in line.split()}
    helps = processor != "x86_64" or flags & {"vmx", "svm"}
    return _MACHINES if kvm and helps else _MACHINES[1:]


def working_accelerators() -> tuple[str, ...]:
    """`accelerators` of this machine."""
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR))
    except OSError:
        return accelerators(base.PROCESSOR, "", kvm=False)
    return accelerators(base.PROCESSOR, Path("/proc/cpuinfo").read_text(), kvm=True)


def code(package: Path) -> bytes:
    """The agent and the sidecar as an archive to append to the initramfs.

    `package` is ipvsload's directory. Raises OSError.
    """
    return archive(
        file(f"code/ipvsload/{path.relative_to(package)}", path.read_bytes())
        for part in PARTS
        for path in sorted((package / part).glob("*.py"))
    )


def first_program(place: base.Place) -> tuple[list[str], dict[str, str]]:
    """What the machine runs after the image's own /init, and its environment."""
    modules = ("virtio_net", "macvlan", *place.modules)
    inside = place._replace(python=_PYTHON, import_path=_IMPORT_PATH)
    return base.agent(inside, [_CARD] * len(CABLES), modules)


def command(
    processor: str,
    place: Path,
    initrd: str,
    accelerator: str,
    tap: int,
    init: Sequence[str],
    environment: Mapping[str, str],
) -> list[str]:
    """The command line that boots a director which runs `init` on the image's root.

    `processor` is the image's, one of PROCESSORS. `place` holds the image, `initrd`
    is its initramfs with the code appended. `tap` is the network card's descriptor.
    The console is on descriptors 0 and 1.
    The kernel hands NAME=VALUE words that it does not know to init as its
    environment, and the words after -- as arguments.
    """
    known = PROCESSORS[processor]
    words = [
        *(f"console={known.console}", "quiet", "panic=-1", "net.ifnames=0"),
        *(f"{name}={value}" for name, value in environment.items()),
        *("--", *init),
    ]
    root = str(place / "root.squashfs").replace(",", ",,")  # QEMU's way to write a comma
    return [
        known.program,
        *("-machine", known.machine, "-accel", accelerator),
        *("-cpu", "host" if accelerator == "kvm" else known.emulated),
        *("-m", _MEMORY, "-nodefaults", "-no-user-config", "-display", "none"),
        *("-serial", "stdio", "-no-reboot"),
        *("-kernel", str(place / "vmlinuz"), "-initrd", initrd, "-append", " ".join(words)),
        "-drive",
        f"file={root},if=none,id=root,format=raw,readonly=on",
        *("-device", "virtio-blk-pci,drive=root"),
        *("-netdev", f"tap,id=card,fd={tap}"),
        *("-device", "virtio-net-pci,netdev=card,romfile="),
    ]
