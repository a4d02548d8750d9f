"""A terminal that goes away, by itself or with ssh, is an end like SIGTERM.

Whatever ends in order still writes: to a terminal that has gone this fails, and
the end would be one in disorder.
"""

import errno
import os
import signal
import termios
from types import FrameType


def end_on_hang_up() -> None:
    """From now on SIGHUP does what SIGTERM does; not under nohup, which ignores it."""
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    for stream in (0, 1, 2):
        if _has_gone(stream):
            os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    os.kill(os.getpid(), signal.SIGTERM)


def _has_gone(stream: int) -> bool:
    """Whether it is a terminal that nobody is at any more (drivers/tty/tty_io.c, hung_up_tty_*)."""
    try:
        termios.tcgetattr(stream)
    except termios.error as error:
        return bool(error.args[0] == errno.EIO)
    return False
