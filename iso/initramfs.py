"""The first root of the director image: just enough to find the real one.

Takes what it needs out of the finished root, so that kernel, modules and
busybox are those of the same packages: `initramfs.py ROOT.TAR INIT > INITRD`.
"""

import lzma
import re
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ipvsload.cpio import Entry, archive, file

BUSYBOX = "usr/bin/busybox", "bin/busybox"
DISK = ("virtio_pci", "virtio_blk", "squashfs")
"""What the lab's own machine needs; without one of them there is no lab."""
OTHERS = (
    *("loop", "isofs", "cdrom", "sr_mod", "sd_mod"),
    *("ata_piix", "ahci", "virtio_scsi", "usb_storage", "xhci_pci", "uas"),
)
"""For the image as a CD in other machines; a kernel may lack some."""


def parse_dep(text: str) -> dict[str, list[str]]:
    """modules.dep: each module's path, and the paths of those that it needs."""
    lines = (line.partition(":") for line in text.splitlines())
    return {path: needs.split() for path, _, needs in lines}


def module_name(path: str) -> str:
    """The name that modprobe takes, of a path such as kernel/fs/isofs/isofs.ko.xz."""
    return PurePosixPath(path).name.partition(".")[0].replace("-", "_")


def chosen(depends: dict[str, list[str]], names: Iterable[str]) -> list[str]:
    """Paths of the modules `names` and of all that they need; built-in ones have none."""
    paths = {module_name(path): path for path in depends}
    kept: dict[str, None] = {}
    for name in names:
        if path := paths.get(name):
            kept |= dict.fromkeys([path, *depends[path]])
    return sorted(kept)


def plain(path: str) -> str:
    """The module's path without compression: busybox reads them faster so."""
    return re.sub(r"\.ko\.xz$", ".ko", path)


def entries(root: tarfile.TarFile, init: bytes) -> list[Entry]:
    """The initramfs's files. Raises LookupError when the kernel cannot be used."""
    names = {name.removeprefix("./"): name for name in root.getnames()}

    def read(path: str) -> bytes:
        stream = root.extractfile(names[path])
        assert stream
        return stream.read()

    (listing,) = (
        name for name in names if re.fullmatch(r"(usr/)?lib/modules/[^/]+/modules.dep", name)
    )
    place = str(PurePosixPath(listing).parent)
    depends = parse_dep(read(listing).decode())
    builtin = {module_name(path) for path in read(f"{place}/modules.builtin").decode().split()}
    lacking = set(DISK) - builtin - {module_name(path) for path in depends}
    if lacking:
        raise LookupError(f"this kernel has no {', '.join(sorted(lacking))}")
    kept = chosen(depends, (*DISK, *OTHERS))
    target = f"lib/modules/{PurePosixPath(place).name}"
    (busybox,) = (path for path in BUSYBOX if path in names)
    table = "".join(f"{plain(path)}: {' '.join(map(plain, depends[path]))}\n" for path in kept)
    return [
        file("init", init, 0o755),
        file("bin/busybox", read(busybox), 0o755),
        file(f"{target}/modules.dep", table.encode()),
        *(file(f"{target}/{plain(path)}", _module(read(f"{place}/{path}"))) for path in kept),
    ]


def _module(data: bytes) -> bytes:
    return lzma.decompress(data) if data.startswith(b"\xfd7zXZ") else data


def main() -> None:
    """Write the archive to stdout."""
    with tarfile.open(sys.argv[1]) as root:
        sys.stdout.buffer.write(archive(entries(root, Path(sys.argv[2]).read_bytes())))


if __name__ == "__main__":
    main()
