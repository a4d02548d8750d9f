"""What a command to the real servers' process is."""

from collections.abc import Callable
from typing import NamedTuple


class ServerCommand(NamedTuple):
    """A command: `{verb: value, **arguments}` in, `{done: value}` out.

    `carry_out` is called with the process's `ServerSet`, the value, and the
    arguments by name. It raises ValueError with words for people, OSError where the
    kernel refuses something, and, as Python does, TypeError for wrong arguments.
    """

    verb: str
    done: str
    carry_out: Callable[..., None]
