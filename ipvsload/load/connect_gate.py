"""How many connections may wait to be accepted at once.

Two thousand users who start together would send two thousand SYNs within a few
milliseconds. That is more than the queue of a virtual network card holds. What
the card drops is sent again a second later, which would look like latency of
the balancer. So new connections are begun only as fast as they are accepted. A
connection that is not accepted soon is not counted any more: a dead server must
not delay requests to the others. This is for users who wait for their answers; an
open workload is sent when it is due.
"""

from collections.abc import Hashable

LIMIT = 100
ACCEPT_WITHIN_NS = 200_000_000
"""How long a connection counts that is not accepted."""


class ConnectGate:
    """Counts connections from their first SYN until they are accepted; `limit` at most."""

    def __init__(self, limit: int = LIMIT, accept_within_ns: int = ACCEPT_WITHIN_NS) -> None:
        self._limit = limit
        self._accept_within_ns = accept_within_ns
        self._waiting: dict[Hashable, int] = {}

    def enter(self, who: Hashable, now_ns: int) -> None:
        """A connection is begun."""
        self._waiting[who] = now_ns

    def leave(self, who: Hashable) -> None:
        """The connection was accepted, or given up. Calling it again does nothing."""
        self._waiting.pop(who, None)

    def is_open(self, now_ns: int) -> bool:
        """Whether one more connection may be begun now."""
        waiting = self._waiting
        while len(waiting) >= self._limit:
            oldest = next(iter(waiting))
            if now_ns - waiting[oldest] < self._accept_within_ns:
                return False
            del waiting[oldest]
        return True
