"""Where ipvsload keeps what it makes for a user: nothing else is written but records of runs.

Each is the operating system's place for such files: on Linux `~/.local/share`, `~/.cache` and
`~/.local/state`, or what XDG_DATA_HOME, XDG_CACHE_HOME and XDG_STATE_HOME name. platformdirs
is imported where it is used: most commands never ask.
"""

from collections.abc import Callable
from pathlib import Path

_NAME = "ipvsload"


def user_data() -> Path | None:
    """For what was made once and is used again: images. None for a user without a home."""
    from platformdirs import user_data_path

    return _place(user_data_path)


def user_cache() -> Path | None:
    """For what can be found out again. None for a user without a home."""
    from platformdirs import user_cache_path

    return _place(user_cache_path)


def user_state() -> Path | None:
    """For what must be known after a crash. None for a user without a home."""
    from platformdirs import user_state_path

    return _place(user_state_path)


def _place(path_of: Callable[[str], Path]) -> Path | None:
    try:
        return path_of(_NAME)
    except RuntimeError:  # no home
        return None
