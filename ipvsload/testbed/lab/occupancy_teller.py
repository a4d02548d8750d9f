"""What the real servers tell of their workers and queues, at a steady rate, unasked.

It has a descriptor of its own, so that a run never has to ask a question and wait
for the answer. It never waits either: what its reader has not taken in time is
left out. A line is JSON, [t_ns, [server, ...]], and a server is
[address, busy, queued, requests, overflowed, busy_us], as in `ServerOccupancy`.
Servers without a capacity have nothing to tell; without any there is no line.
"""

import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ipvsload.testbed.lab.exact_timers import ExactTimers

if TYPE_CHECKING:
    from ipvsload.testbed.lab.due_call import DueCall


class OccupancyTeller:
    """Writes what `servers` says of a time in ns to the socket `descriptor`; -1: to nobody."""

    def __init__(
        self, servers: Callable[[int], list[Any]], timers: ExactTimers, descriptor: int
    ) -> None:
        self._servers = servers
        self._timers = timers
        self._descriptor = descriptor
        self._period_ns = 0
        self._due: DueCall | None = None
        self._unsent = b""
        if descriptor >= 0:
            os.set_blocking(descriptor, False)

    def tell(self, hz: float) -> None:
        """Tell so often a second from now on; 0: no more. Raises ValueError."""
        if self._descriptor < 0:
            raise ValueError("nobody listens to what the servers tell")
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self._unsent = b""
        if hz:
            self._period_ns = round(1e9 / hz)
            self._due = self._timers.at(time.monotonic_ns(), self._tell)

    def close(self) -> None:
        """Tell nobody any more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _tell(self, due_ns: int) -> None:
        now = time.monotonic_ns()
        missed = (now - due_ns) // self._period_ns
        self._due = self._timers.at(due_ns + (missed + 1) * self._period_ns, self._tell)
        if not self._unsent:
            servers = self._servers(now)
            if servers:
                line = json.dumps([now, servers], separators=(",", ":"))
                self._unsent = line.encode() + b"\n"
        if self._unsent:
            try:
                self._unsent = self._unsent[os.write(self._descriptor, self._unsent) :]
            except BlockingIOError:
                pass
            except OSError:  # nobody reads any more
                self._unsent = b""
