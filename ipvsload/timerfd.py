"""A descriptor that becomes readable at a time, exact to the microsecond.

Python's epoll counts whole milliseconds. That is not exact
enough for arrivals at a planned time, and for work that follows a distribution.
Python has timerfd from 3.13 on; until then it is two calls of the C library.
"""

import ctypes
import os
import struct
import time

_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
_SECOND = 1_000_000_000
_libc = ctypes.CDLL(None, use_errno=True)


class TimerFd:
    """A timer on the clock of `time.monotonic_ns()`; `fd` is its descriptor.

    Setting it makes `fd` unreadable until the new time.
    """

    def __init__(self) -> None:
        flags = os.O_NONBLOCK | os.O_CLOEXEC
        self.fd: int = _libc.timerfd_create(time.CLOCK_MONOTONIC, flags)
        if self.fd < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def set(self, when_ns: int) -> None:
        """Make `fd` readable at this time, at once if it has passed; 0: never."""
        seconds, ns = divmod(when_ns, _SECOND)
        _libc.timerfd_settime(self.fd, _ABSOLUTE, struct.pack("qqqq", 0, 0, seconds, ns), None)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)
