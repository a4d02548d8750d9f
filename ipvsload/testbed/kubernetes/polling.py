"""Waiting: look again until it is so, say what for, and give up with what was last seen."""

import time
from collections.abc import Callable

from ipvsload.errors import TestbedError
from ipvsload.testbed.kind import Tell

_EVERY = 0.5
_SILENT = 3.0
"""Seconds before a person is told what is being waited for."""


def wait_for(
    what: str,
    look: Callable[[], str | None],
    within: float,
    tell: Tell = lambda _: None,
) -> None:
    """Until `look` returns None; otherwise it returns what is still missing.

    What is missing is told when it changes. Raises TestbedError after `within`
    seconds; what `look` raises ends the wait at once.
    """
    began = time.monotonic()
    told = ""
    while (missing := look()) is not None:
        waited = time.monotonic() - began
        if waited > within:
            reason = f"; {missing}" if missing else ""
            raise TestbedError(f"waited {within:.0f} s for {what}{reason}")
        if waited > _SILENT and missing != told:
            tell(f"waiting for {what}: {missing}" if missing else f"waiting for {what}")
            told = missing
        time.sleep(_EVERY)
