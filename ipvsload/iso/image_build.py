"""`ipvsload iso build`: makes the director's image, whole or not at all.

The recipe is iso/Makefile. It works on a copy of itself in a directory beside the images, by
relative paths only: make cannot name a file in a directory with a space in its name, and an
installed package is not to be written into. The image takes its place when all of it is there.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ipvsload.director_image import ARCHITECTURES, FILES, IMAGE, NO_HOME, images
from ipvsload.errors import TestbedError, UsageError
from ipvsload.shipped_files import PACKAGE, shipped

KEPT = (*FILES, "config", "manifest.txt", "ipvsload.iso")
"""What is of use of the files that the recipe makes."""
_ENDED_WITHIN_S = 20.0
_QUERY = ("dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n")


def build_image(suite: str, architecture: str | None, say: Callable[[str], object]) -> Path:
    """Build the image of this release of Debian; returns its directory.

    `architecture` is one of ARCHITECTURES; None: this machine's. Raises UsageError where the
    image cannot be one, and TestbedError where this machine cannot build it.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", suite):
        raise UsageError(f"{suite!r} is no release of Debian; trixie and bookworm are tried")
    here = _this_architecture()
    wanted = architecture or here
    if wanted not in ARCHITECTURES:
        raise UsageError(f"the image is for {' and '.join(ARCHITECTURES)}, not for {wanted}")
    _refuse_without_packages(wanted)
    if os.geteuid() != 0:
        _refuse_without_user_ids()
    place = images()
    if place is None:
        raise UsageError(NO_HOME)
    name = f"iso-{suite}" if wanted == here else f"iso-{suite}-{wanted}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _alone_in(place), _work_directory(place / f"{name}.part") as work:
            say(f"building {place / name}: packages come from Debian's mirrors, be patient")
            (work / "package").symlink_to(PACKAGE)
            shutil.copytree(shipped("iso"), work / "recipe")
            _make(work / "recipe", f"SUITE={suite}", f"ARCH={wanted}")
            _put_in_place(work, place / name)
    except OSError as error:
        raise TestbedError(f"{error.filename or place}: {error.strerror}") from error
    return place / name


def _this_architecture() -> str:
    try:
        done = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise TestbedError(
            "the image is made of Debian's packages by Debian's tools, and there is no dpkg here:"
            f" build it on a Debian or Ubuntu, and name its directory in {IMAGE}"
        ) from None
    return done.stdout.decode().strip()


def _refuse_without_packages(architecture: str) -> None:
    wanted = packages(architecture)
    done = subprocess.run([*_QUERY, *wanted], capture_output=True, text=True, check=False)
    there = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    if lacking := [name for name in wanted if name not in there]:
        raise TestbedError(
            f"building the image needs more of Debian: {_as_root()}apt-get install"
            f" --no-install-recommends {' '.join(lacking)}"
        )


def packages(architecture: str) -> list[str]:
    """Debian's packages that build an image for this architecture and run it."""
    lines = (shipped("iso") / "build-packages").read_text().splitlines()
    words = (line.split() for line in lines if not line.startswith("#"))
    return [name for name, *only in words if not only or architecture in only]


def _refuse_without_user_ids() -> None:
    """Mmdebstrap installs packages in a user namespace; it needs ids for the users in there."""
    if shutil.which("newuidmap") is None:
        raise TestbedError(
            f"an ordinary user needs newuidmap to build it: {_as_root()}apt-get install uidmap"
        )
    import pwd

    user = str(os.geteuid())
    with suppress(KeyError):  # a container's user without a name
        user = pwd.getpwuid(os.geteuid()).pw_name
    for file, option in ("/etc/subuid", "--add-subuids"), ("/etc/subgid", "--add-subgids"):
        with suppress(FileNotFoundError):
            lines = Path(file).read_text().splitlines()
            if any(line.split(":")[0] in (user, str(os.geteuid())) for line in lines):
                continue
        raise TestbedError(
            f"{user} has no line in {file}, which an ordinary user needs to build it:"
            f" sudo usermod {option} 100000-165535 {user}"
        )


def _as_root() -> str:
    return "" if os.geteuid() == 0 else "sudo "


@contextmanager
def _alone_in(place: Path) -> Iterator[None]:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TestbedError(f"an image is being built in {place} already; wait for it") from None
    else:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _work_directory(work: Path) -> Iterator[Path]:
    """It is new, whatever a build before left there, and it is gone at the end."""
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir()
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _make(recipe: Path, *variables: str) -> None:
    """Run make on the recipe, its messages on stderr; ends with all that it started."""
    words = ["make", "--silent", "OUT=../image", "PACKAGE=../package", f"PYTHON={sys.executable}"]
    environment = {name: text for name, text in os.environ.items() if name != "MAKEFLAGS"}
    process = subprocess.Popen(
        [*words, *variables],
        cwd=recipe,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=2,
        start_new_session=True,
    )
    try:
        status = process.wait()
    except BaseException:
        _end(process)
        raise
    if status:
        raise TestbedError(
            f"the image was not built: make ended with status {status}, for the reason above"
        )


def _end(process: "subprocess.Popen[bytes]") -> None:
    for end in signal.SIGTERM, signal.SIGKILL:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, end)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDED_WITHIN_S)
            return


def _put_in_place(work: Path, place: Path) -> None:
    """Put what is kept of the new image where the one before is, if there is one."""
    made = work / "image"
    for path in made.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if place.exists():
        place.rename(work / "before")
    made.rename(place)
