"""The wheel of this checkout, installed as users install it, but for what it asks for.

That is taken from where the tests have it: no network is needed and it is there in seconds.
Its path has a space in it, as some homes have. Built once, whichever process of the test session
asks first.
"""

import fcntl
import subprocess
import sys
import venv
from pathlib import Path

import click
import pytest

from release.installed_trial import Installed
from release.reproducible_build import built, sources

ROOT = Path(__file__).parents[2]


def installed(factory: pytest.TempPathFactory, home: Path) -> Installed:
    """The session's one, with a home directory of the test's own."""
    base = factory.getbasetemp()
    # Processes of pytest-xdist have directories beside each other.
    place = (base.parent if base.name.startswith("popen-") else base) / "installed"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "ready").exists():
            _install(place)
            (place / "ready").touch()
    return Installed(place / "an environment", home)


def _install(place: Path) -> None:
    sources(ROOT, place / "sources")
    (wheel,) = built(place / "sources", place / "dist", only=["wheel"])
    python = place / "an environment" / "bin" / "python"
    venv.create(python.parents[1], symlinks=True)
    words = "--no-deps", "--no-index", "--no-compile", "--quiet", "--disable-pip-version-check"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", *words, str(wheel)],
        check=True,
        capture_output=True,
    )
    there = Path(click.__file__).parents[1]
    site = next(python.parents[1].glob("lib/python*/site-packages"))
    (site / "dependencies.pth").write_text(f"{there}\n")
