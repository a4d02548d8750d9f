"""A run's changes as a program of its own, which kills itself at the step of a number."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.external.owner_command import OwnerCommand
from tests.external.fake_director import ONE, FakeDirector

_left = 0


def _counted(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with a place to be killed at behind it."""

    def step(*values: Any, **named: Any) -> Any:
        global _left
        done = function(*values, **named)
        _left -= 1
        if not _left:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    return step


if __name__ == "__main__":
    folder, number = sys.argv[1:]
    _left = int(number)
    os.fsync = _counted(os.fsync)
    OwnerCommand.run = _counted(OwnerCommand.run)  # type: ignore[method-assign]
    testbed = FakeDirector(Path(folder)).testbed()
    testbed.wait_ready()
    testbed.begin(ServiceSpec("lc", (1, 1)))
    testbed.set_weight(ONE, 5)
    testbed.close()
