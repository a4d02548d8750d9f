"""The manual pages are those of the commands, and `man` finds no fault in them."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from man.pages import PAGES, pages
from tests.patience import HUNG_AFTER_S


def test_they_are_what_the_commands_say() -> None:
    """`make man` writes them anew."""
    kept = {path.name: path.read_text() for path in PAGES.iterdir()}
    assert kept == pages()


def test_the_wheel_has_them() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text())
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared == {"man/man1": "share/man/man1"}


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff here")
def test_troff_finds_no_fault() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", *sorted(PAGES.glob("*.1"))],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
        check=True,
    )
    assert done.stderr == ""
