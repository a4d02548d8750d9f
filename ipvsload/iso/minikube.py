"""`ipvsload iso minikube`: shows, changes and checks a minikube checkout's kernels.

It says what goes wrong with the checkout's versions, and what to do next. Two
layouts are known: today's, with a board for x86_64 and one for aarch64 (since
1.26), and the one of 0.28, with a single board.
"""

import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ipvsload.errors import UsageError
from ipvsload.iso import defconfig, kernel_config

_ISO = "deploy/iso/minikube-iso"
_OUT = "out/buildroot"
_RELEASE = re.compile(r'^BR2_LINUX_KERNEL_CUSTOM_VERSION_VALUE="([^"]+)"', re.MULTILINE)
_HEADERS = re.compile(r"^BR2_PACKAGE_HOST_LINUX_HEADERS_CUSTOM_(\d+)_(\d+)=y", re.MULTILINE)


class Board(NamedTuple):
    """One kernel that a checkout builds."""

    arch: str
    defconfig: str
    """Below deploy/iso/minikube-iso, as the next."""
    buildroot: str
    output: str
    """Where buildroot builds it, below out/buildroot."""
    target: str
    """What `make` is asked for."""
    image: str
    """What it leaves, below the checkout."""


_BOARDS = (
    *(
        Board(
            arch,
            f"board/minikube/{arch}/linux_{arch}_defconfig",
            f"configs/minikube_{arch}_defconfig",
            f"output-{arch}",
            f"out/minikube-{arch}.iso",
            f"out/minikube-{go_arch}.iso",
        )
        for arch, go_arch in (("x86_64", "amd64"), ("aarch64", "arm64"))
    ),
    Board(
        *("x86_64", "board/coreos/minikube/linux_defconfig", "configs/minikube_defconfig"),
        *("output", "out/minikube.iso", "out/minikube.iso"),
    ),
)


def prepare_checkout(checkout: Path, write: bool, say: Callable[[str], object]) -> int:
    """Add what IPVS lacks to each kernel of the checkout; only show it without `write`.

    Returns 1 if a kernel that was built lacks an option, else 0. Raises UsageError
    when it is no minikube checkout or cannot be written.
    """
    try:
        boards = [one for one in _BOARDS if (checkout / _ISO / one.defconfig).is_file()]
        if not boards:
            raise UsageError(
                f"{checkout}: no kernel's defconfig under {_ISO}/board; "
                "is this a minikube checkout?"
            )
        if _ignores_case(checkout):
            say(
                f"WARNING: {checkout} is on a file system that takes names which differ only in "
                "case for one; buildroot cannot build there. Put the checkout on another."
            )
        return max(_prepare_kernel(checkout, board, write, say) for board in boards)
    except OSError as error:
        raise UsageError(f"{error.filename or checkout}: {error.strerror}") from error


def _prepare_kernel(checkout: Path, board: Board, write: bool, say: Callable[[str], object]) -> int:
    path = checkout / _ISO / board.defconfig
    before, buildroot = path.read_text(), (checkout / _ISO / board.buildroot).read_text()
    release = _release(buildroot)
    name = f"{_ISO}/{board.defconfig}"
    say(f"{board.arch}: Linux {release or 'of unknown version'}, {name}")
    builds = (checkout / _OUT / board.output / "build").glob("linux-[0-9]*/.config")
    built = {one.parent.name.removeprefix("linux-"): one for one in sorted(builds)}
    for warning in mismatches(buildroot, before, list(built)):
        say(f"WARNING: {warning}")
    lacking = defconfig.lacking(before, release)
    status = 0
    if not lacking:
        say("nothing is missing for IPVS")
        if release in built:
            status = _check_built(built[release], say)
    else:
        after = defconfig.add(before, lacking)
        say(defconfig.diff(before, after, name))
        for feature in lacking:
            say(f"  {feature.name}: {feature.why}")
        if not write:
            say("nothing was changed; to change it: ipvsload iso minikube --write CHECKOUT")
            return 0
        path.write_text(after)
        if lost := defconfig.lacking(path.read_text(), release):
            raise UsageError(f"{path}: not set after all: {', '.join(one.option for one in lost)}")
        say("written")
    image = (checkout / board.image).absolute()
    say("build the image and start a cluster on it:")
    say(f"  cd {checkout.absolute()}")
    say("  make buildroot-image")
    say(f"  make {board.target}")
    say(f"  minikube start --iso-url=file://{image} --extra-config=kube-proxy.mode=ipvs")
    return status


def _check_built(path: Path, say: Callable[[str], object]) -> int:
    """Return 1 if the kernel that was built lacks options, else 0.

    The build drops an option without a word where its dependencies are not met.
    """
    config = path.read_text()
    lost = defconfig.lacking(config, kernel_config.version(config) or "")
    for feature in lost:
        wants = ", ".join(f"CONFIG_{option}" for option in feature.depends_on)
        say(f"DROPPED by the build: CONFIG_{feature.option} ({feature.name}); it needs {wants}")
    if not lost:
        say(f"the kernel that was built has them all: {path}")
    return 1 if lost else 0


def _release(buildroot: str) -> str:
    """The kernel that buildroot's configuration names; "" if it names none."""
    found = _RELEASE.search(buildroot)
    return found[1] if found else ""


def mismatches(buildroot: str, config: str, built: Sequence[str]) -> list[str]:
    """For people: where something in the checkout does not match its kernel version.

    `built` are the versions of kernels that were unpacked for a build before.
    """
    wanted = _release(buildroot)
    if not wanted:
        return []
    warnings = []
    headers = _HEADERS.search(buildroot)
    if headers and not wanted.startswith(f"{headers[1]}.{headers[2]}."):
        warnings.append(
            f"the tree builds Linux {wanted} with headers of {headers[1]}.{headers[2]}: "
            "buildroot refuses, or programs see another kernel than they run on"
        )
    written = kernel_config.version(config)
    if written and not f"{written}.".startswith(f"{wanted}."):
        warnings.append(
            f"the defconfig was written by Linux {written}, the tree builds {wanted}: "
            "options that were renamed between them are lost in silence"
        )
    others = [version for version in built if version != wanted]
    if others:
        warnings.append(
            f"out/buildroot holds Linux {', '.join(others)}, the tree builds {wanted}: a "
            "configuration saved there is another kernel's; remove out/buildroot first"
        )
    return warnings


def _ignores_case(place: Path) -> bool:
    """Whether names that differ only in case are one file there.

    buildroot cannot build on such a file system. Raises OSError when nothing can be written there.
    """
    with tempfile.NamedTemporaryFile(prefix="ipvsload-Case-", dir=place) as file:
        return Path(file.name.replace("ipvsload-Case-", "ipvsload-cASE-")).exists()
