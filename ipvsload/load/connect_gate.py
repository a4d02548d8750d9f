"""How many connections may be on their way at once.

Two thousand users who start together would send two thousand SYNs within some
milliseconds, more than the queue of a virtual network card holds; what it drops
is sent again a second later and passes for the balancer's latency. So a burst
of connections is sent in the pace in which they are accepted. A connection
that is not accepted soon stops counting: a server that is dead must not hold
up those that ask the others.
"""

from collections.abc import Hashable

LIMIT = 100
PATIENCE_NS = 200_000_000


class ConnectGate:
    """Counts connections from their first SYN until they are accepted."""

    def __init__(self, limit: int = LIMIT, patience_ns: int = PATIENCE_NS) -> None:
        self._limit = limit
        self._patience_ns = patience_ns
        self._under_way: dict[Hashable, int] = {}

    def enter(self, who: Hashable, now_ns: int) -> None:
        """A connection sets out."""
        self._under_way[who] = now_ns

    def leave(self, who: Hashable) -> None:
        """It was accepted, or given up; calling it again does nothing."""
        self._under_way.pop(who, None)

    def is_open(self, now_ns: int) -> bool:
        """Whether one more may set out now."""
        under_way = self._under_way
        while len(under_way) >= self._limit:
            oldest = next(iter(under_way))
            if now_ns - under_way[oldest] < self._patience_ns:
                return False
            del under_way[oldest]
        return True
