"""Builds sdist and wheel of a source tree, so that only the sources decide about their bytes."""

import os
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from release.release_error import ReleaseError

# Of what a builder's machine differs in from another's. hatchling dates all files by
# SOURCE_DATE_EPOCH or else by a constant, which everybody has who builds the sdist.
_FIRST = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"}
_SECOND = {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "2"}


def sources(root: Path, target: Path) -> None:
    """Copy what is in version control at `root`, as it is now, into the new directory `target`.

    Raises ReleaseError where `root` is not the root of a checkout.
    """
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ReleaseError(f"{root}: git does not say what is to be released: {error}") from error
    for name in filter(None, listed.split("\0")):
        path = root / name
        if path.is_file():  # else it has been removed, and that is not committed yet
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
            copy.chmod(path.stat().st_mode)


def built(source: Path, out: Path, *, second: bool = False, only: Sequence[str] = ()) -> list[Path]:
    """Build into `out`: the sdist and the wheel, or `only` these of hatch's targets.

    The second build of two has another umask, time zone, locale and order of hashes. Raises
    ReleaseError.
    """
    environment = {name: text for name, text in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    targets = [word for target in only for word in ("--target", target)]
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(out), *targets],
        cwd=source,
        env={**environment, **(_SECOND if second else _FIRST)},
        umask=0o077 if second else 0o022,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ReleaseError(f"{source}: hatchling failed:\n{done.stdout}{done.stderr}")
    return sorted(out.iterdir())


def build_twice(root: Path, work: Path) -> tuple[Path, Path]:
    """The sdist and the wheel, in `work`, an empty directory.

    Built in two places, and the wheel from the sdist as well. Raises ReleaseError where not all
    of them have the same bytes.
    """
    once, again = work / "once", work / "another place" / "of another depth"
    sources(root, once)
    sources(root, again)
    wheel, sdist = built(once, work / "dist")
    _demand_equal([sdist, wheel], built(again, work / "dist-again", second=True))
    with tarfile.open(sdist) as archive:
        archive.extractall(work / "unpacked", filter="data")
    (unpacked,) = (work / "unpacked").iterdir()
    _demand_equal([wheel], built(unpacked, work / "dist-of-sdist", only=["wheel"]))
    return sdist, wheel


def _demand_equal(first: list[Path], second: list[Path]) -> None:
    for one, other in zip(sorted(first), sorted(second), strict=True):
        if one.name != other.name or one.read_bytes() != other.read_bytes():
            raise ReleaseError(f"two builds of the same sources differ: {one} and {other}")
