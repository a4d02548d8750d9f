"""Reads the list of modules in a machine's image: a CD, a squashfs, an initramfs.

Programs that know the formats read them (xorriso, rdsquashfs, lz4, zstd). Where
one is missing, the error names its package.
"""

import gzip
import lzma
import re
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ipvsload import cpio
from ipvsload.errors import UsageError
from ipvsload.ipvs.kernel_modules import module_names
from ipvsload.iso.kernel import Kernel

HEAD = 0x8006
"""How many bytes of a file tell its format."""
_DEADLINE = 120.0
_LIST = re.compile(r"(?:usr/)?lib/modules/([^/\s]+)/modules\.(?:dep|builtin)$")
# Which files on a CD may have a root file system in them.
_ROOT_FILES = re.compile(r"(squashfs|\.sfs|\.img|initrd|initramfs|rootfs)", re.IGNORECASE)
_PACKAGES = {"rdsquashfs": "squashfs-tools-ng"}  # the others are named as their programs


def _kind(head: bytes) -> str | None:
    if head[0x8001:0x8006] == b"CD001":
        return "cd"
    if head.startswith(b"hsqs"):
        return "squashfs"
    if head.startswith((b"070701", b"070702")):
        return "cpio"
    for kind, magic in (("gzip", b"\x1f\x8b"), ("xz", b"\xfd7zXZ"), ("zstd", b"\x28\xb5\x2f\xfd")):
        if head.startswith(magic):
            return kind
    return "lz4" if head.startswith((b"\x02\x21\x4c\x18", b"\x04\x22\x4d\x18")) else None


def _file_kind(path: Path) -> str | None:
    with path.open("rb") as stream:
        return _kind(stream.read(HEAD))


def is_image(head: bytes) -> bool:
    """Whether a file with this beginning is an image; gzip is one if it has an archive in it."""
    kind = _kind(head)
    if kind != "gzip":
        return kind is not None
    try:
        return _kind(zlib.decompressobj(31).decompress(head, 16)) == "cpio"
    except zlib.error:
        return False


def kernel(path: Path) -> Kernel:
    """The kernel whose modules are in the image. Raises UsageError and OSError."""
    kind = _file_kind(path)
    found = _from_cd(path) if kind == "cd" else _from_system(path, kind, str(path))
    if not found:
        raise UsageError(f"{path}: no list of kernel modules in it (lib/modules/*/modules.dep)")
    release = max(found, key=lambda name: len(found[name]))
    return Kernel(str(path), release, None, module_names(found[release]))


def _from_cd(path: Path) -> dict[str, list[str]]:
    listed = _run("xorriso", "-indev", str(path), "-find", "/", "-type", "f").decode()
    names = [line.strip().strip("'") for line in listed.splitlines() if _ROOT_FILES.search(line)]
    best: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as directory:
        for number, name in enumerate(sorted(names, key=lambda name: "squashfs" not in name)):
            if best and "squashfs" not in name:
                break  # a squashfs has the list of the whole system
            target = Path(directory, str(number))
            _run("xorriso", "-osirrox", "on", "-indev", str(path), "-extract", name, str(target))
            target.chmod(0o600)
            kind = _file_kind(target)
            if kind in (None, "cd"):
                continue
            found = _from_system(target, kind, f"{path}: {name}")
            target.unlink()
            best = max(best, found, key=lambda lists: sum(map(len, lists.values())))
    return best


def _from_system(path: Path, kind: str | None, name: str) -> dict[str, list[str]]:
    """The lists by release, out of a root file system: a squashfs or an initramfs."""
    if kind != "squashfs":
        return _from_archives(path.read_bytes(), name)
    found: dict[str, list[str]] = {}
    for line in _run("rdsquashfs", "--describe", str(path)).decode(errors="replace").splitlines():
        name = line.split()[1] if line.startswith("file ") else ""
        if match := _LIST.search(name):
            lines = _run("rdsquashfs", "--cat", name, str(path)).decode().splitlines()
            found.setdefault(match[1], []).extend(lines)
    return found


def _from_archives(data: bytes, name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for archive in _archives(data, name):
        for entry in archive:
            if match := _LIST.search(entry.path):
                found.setdefault(match[1], []).extend(entry.data.decode().splitlines())
    return found


def _archives(data: bytes, name: str) -> Iterator[list[cpio.Entry]]:
    """The archives of an initramfs, one after the other, compressed or not."""
    while data:
        kind = _kind(data)
        if kind != "cpio":
            data = _decompress(data, kind, name)
        try:
            *archive, rest = cpio.entries(data)
        except ValueError as error:
            raise UsageError(f"{name}: {error}") from None
        yield archive
        data = rest.data


def _decompress(data: bytes, kind: str | None, name: str) -> bytes:
    try:
        match kind:
            case "gzip":
                return gzip.decompress(data)
            case "xz":
                return lzma.decompress(data)
            case "zstd" | "lz4":
                return _run(kind, "-d", "-c", stdin=data)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise UsageError(f"{name}: {error}") from error
    raise UsageError(f"{name}: not an archive that this command reads")


def _run(program: str, *words: str, stdin: bytes | None = None) -> bytes:
    """The program's output. Raises UsageError when it is missing or fails."""
    if shutil.which(program) is None:
        package = _PACKAGES.get(program, program)
        raise UsageError(
            f"no {program} to read it with; install it with: apt-get install {package}"
        )
    try:
        done = subprocess.run(
            [program, *words], input=stdin, capture_output=True, timeout=_DEADLINE
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"{program} was not done within {_DEADLINE:.0f} s") from None
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise UsageError(f"{program}: {' '.join(last) or f'status {done.returncode}'}")
    return done.stdout
