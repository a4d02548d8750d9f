"""Ends kept connections whose lifetime is over: after an answer, or while they are idle.

The client closes, as clients that renew their connections do, so it is on our side that
the connection stays in TIME_WAIT.
"""

import time
from collections.abc import Callable
from functools import partial

from ipvsload.load.exchange import Exchange
from ipvsload.load.timers import Timers
from ipvsload.scenario.connection import Lifetime

_SECOND = 1_000_000_000


class ConnectionLifetimes:
    """Closes connections by `close`; `timers` tell when an idle one has lived long enough."""

    def __init__(self, timers: Timers, close: Callable[[Exchange], None]) -> None:
        self._timers = timers
        self._close = close

    def begin(self, exchange: Exchange, lifetime: Lifetime, now_ns: int) -> None:
        """The exchange has a new connection."""
        exchange.carried, exchange.opened = 0, now_ns
        if lifetime.seconds is not None:
            end = now_ns + int(lifetime.seconds * _SECOND)
            self._timers.at(end, partial(self._over, exchange, now_ns))

    def carried(self, exchange: Exchange, lifetime: Lifetime) -> None:
        """Its connection has carried one request more, and could go on."""
        exchange.carried += 1
        if lifetime.seconds is not None:
            over = time.monotonic_ns() - exchange.opened >= lifetime.seconds * _SECOND
        else:
            over = exchange.carried >= (lifetime.requests or 0)
        if over:
            self._close(exchange)

    def _over(self, exchange: Exchange, opened_ns: int) -> None:
        """What is in use is closed after its answer."""
        idle = exchange.sock is not None and not (exchange.busy or exchange.queued)
        if idle and exchange.opened == opened_ns:
            self._close(exchange)
