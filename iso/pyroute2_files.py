"""Copies the pyroute2 that runs here into a directory for the image: `pyroute2_files.py DIRECTORY`.

The director's agent then meets the version that it was tested with, and no installer is
needed, which an environment of uv or pipx has not. What tells who installed it where stays
behind, so that the same version gives the same bytes.
"""

import shutil
import sys
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path


def main() -> None:
    """Copy the package and the file that names its version."""
    target, spec = Path(sys.argv[1]), find_spec("pyroute2")
    assert spec
    assert spec.origin
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(
        Path(spec.origin).parent,
        target / "pyroute2",
        ignore=shutil.ignore_patterns("__pycache__"),
        copy_function=shutil.copyfile,
    )
    found = distribution("pyroute2")
    about = target / f"pyroute2-{found.version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(found.read_text("METADATA") or "")


if __name__ == "__main__":
    main()
