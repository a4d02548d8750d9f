"""One kernel timer, as a descriptor that an epoll can wait for.

Python's epoll waits in whole milliseconds. That is not exact enough for
arrivals at a planned time, because a late start counts as latency. A timerfd
wakes the loop to the microsecond. Python has it from 3.13 on; until then it is
two calls of the C library.
"""

import ctypes
import os
import struct
import time

_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
_SECOND = 1_000_000_000
_libc = ctypes.CDLL(None, use_errno=True)


class TimerFd:
    """A one-shot timer on CLOCK_MONOTONIC; register `fd` edge-triggered."""

    def __init__(self) -> None:
        flags = os.O_NONBLOCK | os.O_CLOEXEC
        self.fd: int = _libc.timerfd_create(time.CLOCK_MONOTONIC, flags)
        if self.fd < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def set(self, when_ns: int) -> None:
        """Fire at this `time.monotonic_ns()`, at once if it has passed."""
        seconds, ns = divmod(max(when_ns, 1), _SECOND)
        _libc.timerfd_settime(self.fd, _ABSOLUTE, struct.pack("qqqq", 0, 0, seconds, ns), None)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)
