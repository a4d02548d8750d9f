"""The directory in which a run is recorded if the user names none."""

import time
from pathlib import Path


def new_directory(name: str) -> Path:
    """A path under runs/ that does not exist yet: NAME-DATE-TIME."""
    stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    suffixes = ("", *(f"-{number}" for number in range(2, 100)))
    found = (Path("runs", stem + suffix) for suffix in suffixes)
    return next(path for path in found if not path.exists())
