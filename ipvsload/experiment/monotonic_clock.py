"""The clock of recordings of real runs: this machine's monotonic clock, in µs."""

import time


class MonotonicClock:
    """Zero is when it is made; `origin_unix_us` is that moment by the calendar."""

    def __init__(self) -> None:
        self.zero_ns = time.monotonic_ns()
        self.origin_unix_us = time.time_ns() // 1000

    def now_us(self) -> int:
        """Microseconds since zero."""
        return (time.monotonic_ns() - self.zero_ns) // 1000

    def from_ns(self, monotonic_ns: int) -> int:
        """A `time.monotonic_ns()` of this machine on the recording's clock."""
        return (monotonic_ns - self.zero_ns) // 1000
