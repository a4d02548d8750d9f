"""A minikube checkout: where its kernels' defconfigs are, and what goes wrong with them.

Two layouts are known: today's, with a board for x86_64 and one for aarch64
(since 1.26), and the one of 0.28, with a single board.
"""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ipvsload.errors import UsageError
from ipvsload.iso import kernel_config

_ISO = "deploy/iso/minikube-iso"
_OUT = "out/buildroot"
_RELEASE = re.compile(r'^BR2_LINUX_KERNEL_CUSTOM_VERSION_VALUE="([^"]+)"', re.MULTILINE)
_HEADERS = re.compile(r"^BR2_PACKAGE_HOST_LINUX_HEADERS_CUSTOM_(\d+)_(\d+)=y", re.MULTILINE)


class Board(NamedTuple):
    """One kernel that the checkout builds."""

    arch: str
    defconfig: Path
    buildroot: Path
    output: str
    """Where buildroot builds it, below out/buildroot."""
    target: str
    """What `make` is asked for."""
    image: str
    """What it leaves, below the checkout."""


_LAYOUTS = (
    *(
        (
            arch,
            f"board/minikube/{arch}/linux_{arch}_defconfig",
            f"configs/minikube_{arch}_defconfig",
            f"output-{arch}",
            f"out/minikube-{arch}.iso",
            f"out/minikube-{go_arch}.iso",
        )
        for arch, go_arch in (("x86_64", "amd64"), ("aarch64", "arm64"))
    ),
    (
        *("x86_64", "board/coreos/minikube/linux_defconfig", "configs/minikube_defconfig"),
        *("output", "out/minikube.iso", "out/minikube.iso"),
    ),
)


def boards(checkout: Path) -> list[Board]:
    """The checkout's kernels. Raises UsageError when it is no minikube checkout."""
    place = checkout / _ISO
    found = [
        Board(arch, place / defconfig, place / buildroot, output, target, image)
        for arch, defconfig, buildroot, output, target, image in _LAYOUTS
        if (place / defconfig).is_file()
    ]
    if not found:
        raise UsageError(
            f"{checkout}: no kernel's defconfig under {_ISO}/board; is this a minikube checkout?"
        )
    return found


def release(buildroot: str) -> str:
    """The kernel that buildroot's configuration names; "" if it names none."""
    found = _RELEASE.search(buildroot)
    return found[1] if found else ""


def mismatches(buildroot: str, defconfig: str, built: Sequence[str]) -> list[str]:
    """For people: where something in the checkout does not match its kernel version.

    `built` are the versions of kernels that were unpacked for a build before.
    """
    wanted = release(buildroot)
    warnings = []
    headers = _HEADERS.search(buildroot)
    if headers and wanted and not wanted.startswith(f"{headers[1]}.{headers[2]}."):
        warnings.append(
            f"the tree builds Linux {wanted} with headers of {headers[1]}.{headers[2]}: "
            "buildroot refuses, or programs see another kernel than they run on"
        )
    written = kernel_config.version(defconfig)
    if written and wanted and not f"{written}.".startswith(f"{wanted}."):
        warnings.append(
            f"the defconfig was written by Linux {written}, the tree builds {wanted}: "
            "options that were renamed between them are lost in silence"
        )
    others = [version for version in built if wanted and version != wanted]
    if others:
        warnings.append(
            f"out/buildroot holds Linux {', '.join(others)}, the tree builds {wanted}: a "
            "configuration saved there is another kernel's; remove out/buildroot first"
        )
    return warnings


def built_kernels(checkout: Path, board: Board) -> dict[str, Path]:
    """The .config of each kernel in buildroot's output, by version."""
    builds = (checkout / _OUT / board.output / "build").glob("linux-[0-9]*/.config")
    return {path.parent.name.removeprefix("linux-"): path for path in sorted(builds)}


def ignores_case(place: Path) -> bool:
    """Whether names that differ only in case are one file there.

    buildroot cannot build on such a file system. Raises OSError when nothing can be written there.
    """
    with tempfile.NamedTemporaryFile(prefix="ipvsload-Case-", dir=place) as file:
        return Path(file.name.replace("ipvsload-Case-", "ipvsload-cASE-")).exists()


def commands(checkout: Path, board: Board) -> list[str]:
    """How to build the image and start a cluster on it with kube-proxy in IPVS mode."""
    image = (checkout / board.image).absolute()
    return [
        f"cd {checkout.absolute()}",
        "make buildroot-image",
        f"make {board.target}",
        f"minikube start --iso-url=file://{image} --extra-config=kube-proxy.mode=ipvs",
    ]
