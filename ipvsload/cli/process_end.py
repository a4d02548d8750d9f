"""The end of the process, which the system cleans up after at once.

Python would take its hundred thousand objects apart one by one first: a quarter of a second.
"""

import atexit
import os
import sys
from typing import NoReturn

_status: list[int] = []


def end_quickly() -> None:
    """Have `exit_with` end the process after everything else that is to be done at its end.

    What was registered first is called last, so call this early.
    """
    atexit.register(_leave)


def exit_with(status: int) -> NoReturn:
    """End with this status; threads are waited for, and exit handlers run."""
    _status.append(status)
    sys.exit(status)


def _leave() -> None:
    if not _status:
        return  # somebody else ends the process, and knows the status
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # as Python ends, it says so
    os._exit(_status[-1])
