"""The arrivals of an open workload, whatever its answers do."""

import time
from collections.abc import Callable, Iterator
from functools import partial

from ipvsload.load.exchange import Exchange, Owner
from ipvsload.load.timers import Timers


class OpenArrivals:
    """Sends each request when it is due.

    Args:
        owner: whose requests they are.
        timers: in whose loop they are sent.
        send: begins the exchange's request, which was due at that `time.monotonic_ns()`.
        over: called when the last was sent.

    `exchanges` are those of all arrivals; `unused` are those of past ones, which the
    next ones take, and their connections.
    """

    def __init__(
        self,
        owner: Owner,
        timers: Timers,
        send: Callable[[Exchange, int], None],
        over: Callable[[], None],
    ) -> None:
        self._owner, self._timers, self._send, self._over = owner, timers, send, over
        self.exchanges: list[Exchange] = []
        self.unused: list[Exchange] = []

    def play(self, origin_ns: int, due: Iterator[int], goes_on: Callable[[], bool]) -> None:
        """Send as planned, in ns after `origin_ns`, as long as it goes on."""
        self._play(origin_ns, due, goes_on, next(due, None))

    def _play(
        self, origin_ns: int, later: Iterator[int], goes_on: Callable[[], bool], due_ns: int | None
    ) -> None:
        """Send all that are due: this one and those after it."""
        if not goes_on():
            return
        now = time.monotonic_ns()
        while due_ns is not None:
            due = origin_ns + due_ns
            if due > now:
                self._timers.at(due, partial(self._play, origin_ns, later, goes_on, due_ns))
                return
            if not self.unused:
                self.unused.append(Exchange(self._owner))
                self.exchanges += self.unused
            self._send(self.unused.pop(), due)
            due_ns = next(later, None)
        self._over()
