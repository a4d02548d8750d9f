"""Waiting: look again and again, say what for, and give up with what was seen last."""

import time
from collections.abc import Callable

from ipvsload.errors import TestbedError
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes.api import Api

_EVERY = 0.5
_SILENT = 3.0
"""Seconds before a person is told what is being waited for."""


def wait_for(
    what: str,
    missing: Callable[[], str | None],
    within: float,
    tell: Tell = lambda _: None,
) -> None:
    """Call `missing` until it returns None; before that, it returns what is still missing.

    `tell` hears what is missing when that changes. Raises TestbedError after
    `within` seconds; an exception of `missing` ends the wait at once.
    """
    began = time.monotonic()
    told = ""
    while (found := missing()) is not None:
        waited = time.monotonic() - began
        if waited > within:
            reason = f"; {found}" if found else ""
            raise TestbedError(f"waited {within:.0f} s for {what}{reason}")
        if waited > _SILENT and found != told:
            tell(f"waiting for {what}: {found}" if found else f"waiting for {what}")
            told = found
        time.sleep(_EVERY)


def gone(api: Api, kind: str, name: str, namespace: str = "") -> Callable[[], str | None]:
    """What `wait_for` calls to wait until an object is not there any more."""
    return lambda: "" if api.find(kind, name, namespace) else None
