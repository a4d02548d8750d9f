"""The one time line of a recording: µs of the generator's monotonic clock."""

import time


class Clock:
    """Zero is the moment of its making; that moment by the calendar is kept."""

    def __init__(self) -> None:
        self._origin_ns = time.monotonic_ns()
        self.origin_unix_us = time.time_ns() // 1000

    def now_us(self) -> int:
        """Microseconds since zero."""
        return (time.monotonic_ns() - self._origin_ns) // 1000

    def from_ns(self, monotonic_ns: int) -> int:
        """A `time.monotonic_ns()` of this machine on the time line."""
        return (monotonic_ns - self._origin_ns) // 1000
