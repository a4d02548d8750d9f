"""Reads what a kernel has: this machine's, or that of a configuration file or an image."""

import gzip
import os
from pathlib import Path

from ipvsload.errors import UsageError
from ipvsload.ipvs.kernel_modules import MODULE_LISTS, loaded_names, module_names
from ipvsload.iso import image, kernel_config
from ipvsload.iso.kernel import Kernel


def this_machine() -> Kernel:
    """The kernel that runs here; in a container on a node, the node's.

    Raises UsageError when neither its configuration nor its modules can be read.
    """
    release = os.uname().release
    options = None
    for name in ("/proc/config.gz", f"/boot/config-{release}", f"/lib/modules/{release}/config"):
        try:
            options = kernel_config.parse(_text(Path(name).read_bytes()))
            break
        except OSError:
            continue
    place = Path("/lib/modules", release)
    modules = None
    if place.is_dir():
        listed = module_names(*(_lines(place / name) for name in MODULE_LISTS))
        modules = listed | loaded_names(_lines(Path("/proc/modules")))
    if options is None and modules is None:
        raise UsageError(
            f"Linux {release} here shows neither its configuration (/proc/config.gz, "
            f"/boot/config-{release}) nor its modules (/lib/modules/{release}); name a "
            "configuration file or an image"
        )
    return Kernel("this machine", release, options, modules)


def file(path: Path) -> Kernel:
    """The kernel of a configuration file, plain or gzip, or of an image. Raises UsageError."""
    try:
        with path.open("rb") as stream:
            head = stream.read(image.HEAD)
        if image.is_image(head):
            return image.kernel(path)
        text = _text(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    options = kernel_config.parse(text)
    if not options:
        raise UsageError(
            f"{path}: neither a kernel configuration nor an image that this command reads "
            "(ISO 9660, squashfs, initramfs)"
        )
    return Kernel(str(path), kernel_config.version(text) or "", options, None)


def _text(data: bytes) -> str:
    """Raises OSError (gzip's) when it is cut short."""
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except EOFError as error:
            raise OSError(str(error)) from error
    return data.decode(errors="replace")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
