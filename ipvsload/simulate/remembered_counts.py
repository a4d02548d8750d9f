"""One director of a simulation that keeps no single connection: counts, and when they fall.

`DirectorModel` has an entry for each connection, by its client, because any client may come
again, fall silent, or be kept on a server. Where each connection is one request from a port of its
own, all that a rule can see of finished ones is how many a server has. The kernel's timers
are coarse (timer_wheel.py): what ends within two seconds or so is forgotten at the same tick. So
one number for each server and such a span says everything, however many connections
there are. A test holds the choices of both against each other.
"""

from collections import deque
from collections.abc import Iterable

import numpy as np

from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings
from ipvsload.ipvs_model.server_list import Counts, ServerList
from ipvsload.ipvs_model.timer_wheel import SECOND_NS, TimerWheel


class RememberedCounts:
    """The servers and the rule of one director. Times are ns from 0 on, and never go back.

    `servers` are addresses and weights, in the order of joining. `remembered` is for how many
    seconds a finished connection counts as inactive: that of TIME_WAIT (tcp_states.py). `hz` is
    the kernel's ticks a second. Raises KeyError for a scheduler that there is not.
    """

    def __init__(
        self,
        scheduler: str,
        settings: RuleSettings,
        servers: Iterable[tuple[str, int]],
        remembered: int = 120,
        hz: int = 250,
    ) -> None:
        self.servers = ServerList()
        self.rule = RULES[scheduler](self.servers, settings)
        for address, weight in servers:
            self.servers.join(address, weight)
            self.rule.changed()
        # Single numbers are read and written three times as fast in a memoryview.
        self._active = self.servers.active.data
        self._inactive = self.servers.inactive.data
        self._last = len(self.servers) - 1
        self._choose, self._counted = self.rule.choose, self.rule.counted
        self._wheel = TimerWheel(hz)
        self._ticks, self._shift = self._wheel.rounding(remembered * SECOND_NS)
        self._spans: deque[tuple[int, Counts]] = deque()
        """When the connections that ended within a span are forgotten, and how many there are of
        each server, by number."""
        self._begin_span(0)
        self.next_change = self._span_ends
        """`advance` must be called when this time has come."""

    def choose(self, client: Client) -> int | None:
        """The server that a new connection is given to, and counted at; None: it gets none."""
        number = self._choose(client)
        if number is not None:
            self._active[self._last - number] += 1
            self._counted(number)
        return number

    def ended(self, number: int) -> None:
        """A connection to this server has ended, at the time of the last `advance` or after it."""
        place = self._last - number
        self._active[place] -= 1
        self._inactive[place] += 1
        self._ended[number] += 1
        self._counted(number)

    def advance(self, now_ns: int) -> None:
        """Forget what is due by now, and begin the span of now."""
        spans = self._spans
        while spans and spans[0][0] <= now_ns:
            _, ended = spans.popleft()
            self.servers.inactive[::-1] -= ended
            for number in np.flatnonzero(ended).tolist():
                self._counted(number)
        if now_ns >= self._span_ends:
            if spans and not any(self._ended):
                # Most directors of a thousand: an empty span is not worth keeping.
                spans.pop()
            self._begin_span(now_ns)
        self.next_change = min(self._span_ends, spans[0][0])

    @property
    def kept(self) -> int:
        """How many numbers are kept of finished connections."""
        return sum(len(ended) for _, ended in self._spans)

    def _begin_span(self, now_ns: int) -> None:
        ended = np.zeros(len(self.servers), np.int64)
        due = self._wheel.fires(now_ns, self._ticks, self._shift)
        self._spans.append((due, ended))
        self._span_ends = due - self._ticks * self._wheel.tick_ns
        self._ended = ended.data
