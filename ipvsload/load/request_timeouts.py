"""Gives up the requests of a workload that have no answer in time.

Nothing is noted when a request begins or ends, because there may be a hundred thousand of
those a second. All that are in flight are looked at now and then: what begins after a look
cannot be late before the timeout has passed once more, so that is how often is enough.
"""

import time
from collections.abc import Callable, Iterable
from operator import itemgetter

from ipvsload.load.exchange import Exchange
from ipvsload.load.timers import Timers


class RequestTimeouts:
    """Calls `give_up` with each exchange whose request has been on its way for too long.

    Args:
        timers: in whose loop that is done.
        timeout_ns: how long a request may take from its start.
        in_flight: all exchanges that have a request in flight; those that are not sent yet, too.
        give_up: it then has none any more, or a later one.

    `watching` says whether there is a timer; if not, call `begin` with the next request.
    """

    def __init__(
        self,
        timers: Timers,
        timeout_ns: int,
        in_flight: Callable[[], Iterable[Exchange]],
        give_up: Callable[[Exchange], None],
    ) -> None:
        self._timers, self._timeout_ns = timers, timeout_ns
        self._in_flight, self._give_up = in_flight, give_up
        self._seen: list[tuple[int, Exchange]] = []
        """What was in flight at the last look, with its start; the oldest is the last."""
        self.watching = False

    def begin(self) -> None:
        """Watch from now on, until nothing is in flight."""
        self.watching = True
        self._timers.at(time.monotonic_ns() + self._timeout_ns, self._check)

    def _check(self) -> None:
        now = time.monotonic_ns()
        seen = self._seen
        while True:
            while seen:
                start, exchange = seen[-1]
                if exchange.in_flight and exchange.start in (start, 0):
                    if start + self._timeout_ns > now:
                        self._timers.at(start + self._timeout_ns, self._check)
                        return
                    if exchange.start:
                        self._give_up(exchange)
                seen.pop()
            # One that is not sent yet cannot be late before it was on its way for so long.
            seen.extend((exchange.start or now, exchange) for exchange in self._in_flight())
            seen.sort(key=itemgetter(0), reverse=True)
            if not seen:
                self.watching = False
                return
