"""The directory in which a run is recorded if the user names none."""

import time
from pathlib import Path

from ipvsload.errors import UsageError

_MOST_AT_ONCE = 1000


def make_directory(name: str) -> Path:
    """Make runs/NAME-DATE-TIME, for this run alone; also where others start in this second.

    Raises UsageError where it cannot be made.
    """
    stem = Path("runs", f"{name}-{time.strftime('%Y%m%d-%H%M%S')}")
    for number in range(1, _MOST_AT_ONCE):
        path = stem if number == 1 else stem.with_name(f"{stem.name}-{number}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
        except FileExistsError:
            if not path.is_dir():
                raise UsageError(f"{path.parent}: this is a file: name a directory") from None
        except OSError as error:
            raise UsageError(f"{path}: cannot make the run directory: {error.strerror}") from None
        else:
            return path
    raise UsageError(f"{stem}: {_MOST_AT_ONCE} runs began in this second: name a directory")
