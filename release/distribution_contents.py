"""What is in an sdist and a wheel, held against the sources that they were made of."""

import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from packaging.metadata import Metadata

from ipvsload.shipped_files import FOLDERS
from release.release_error import ReleaseError

EXECUTABLE = 0o111
MANUAL = "man/man1"
"""Installed for the program `man`, not below the package."""


def check_wheel(wheel: Path, source: Path) -> Metadata:
    """Hold the wheel against its source tree; returns what it says of itself.

    Raises ReleaseError where a file is missing or should not be there, where a program is not
    executable, and where the metadata are not as the standard has them.
    """
    with zipfile.ZipFile(wheel) as archive:
        modes = {one.filename: one.external_attr >> 16 for one in archive.infolist()}
        stem = wheel.name.rsplit("-", 3)[0]
        text = archive.read(f"{stem}.dist-info/METADATA")
    wanted = {_place(path.relative_to(source), stem): path for path in _shipped_sources(source)}
    _demand_names({name for name in modes if f"{stem}.dist-info" not in name}, set(wanted))
    for name, path in wanted.items():
        if bool(path.stat().st_mode & EXECUTABLE) != bool(modes[name] & EXECUTABLE):
            raise ReleaseError(f"{name} is executable in only one of wheel and sources")
    return _metadata(text)


def check_sdist(sdist: Path, source: Path) -> None:
    """Hold the sdist against its source tree: all of it, and its metadata. Raises ReleaseError."""
    with tarfile.open(sdist) as archive:
        files = [one for one in archive.getmembers() if one.isfile()]
        names = {str(PurePosixPath(*PurePosixPath(one.name).parts[1:])) for one in files}
    wanted = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    _demand_names(names - {"PKG-INFO"}, wanted)


def _shipped_sources(source: Path) -> list[Path]:
    folders = [source / name for name in ("ipvsload", MANUAL, *FOLDERS)]
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    pages = source / "docs"
    return [path for path in found if pages not in path.parents or path.suffix == ".md"]


def _place(path: Path, stem: str) -> str:
    """Where a file of the sources is in the wheel, whose names begin with `stem`."""
    if path.is_relative_to("ipvsload"):
        return str(path)
    if path.is_relative_to(MANUAL):
        return f"{stem}.data/data/share/{path}"
    return f"ipvsload/shipped/{path}"


def _demand_names(found: set[str], wanted: set[str]) -> None:
    if lacking := wanted - found:
        raise ReleaseError(f"not in it: {', '.join(sorted(lacking))}")
    if more := found - wanted:
        raise ReleaseError(f"in it, and not in version control: {', '.join(sorted(more))}")


def _metadata(text: bytes) -> Metadata:
    try:
        return Metadata.from_email(text, validate=True)
    except ExceptionGroup as group:
        said = "; ".join(map(str, group.exceptions))
        raise ReleaseError(f"its metadata are not as they should be: {said}") from group
