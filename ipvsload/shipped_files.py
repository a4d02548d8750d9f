"""Where the files that come with ipvsload are: beside the package, or inside it once installed.

Scenarios, locustfiles, the pages of the documentation, the recipe of the director's image and
manifests for clusters are written, read and linked to at the top of a checkout.
`[tool.hatch.build]` in pyproject.toml puts the same folders into the wheel, so that an installed
ipvsload needs no checkout.
"""

from pathlib import Path

FOLDERS = ("deploy", "docs", "iso", "locustfiles", "scenarios")
"""Which they are."""
PACKAGE = Path(__file__).parent
"""ipvsload's own directory, of its Python files."""


def checkout() -> Path | None:
    """The root of the checkout that this ipvsload runs from; None where it is installed."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "scenarios").is_dir() else None


def shipped(folder: str) -> Path:
    """The folder of this name, one of FOLDERS."""
    root = checkout()
    return root / folder if root else PACKAGE / "shipped" / folder
