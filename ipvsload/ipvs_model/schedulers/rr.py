"""Round robin."""

from bisect import bisect_right
from typing import ClassVar

import numpy as np

from ipvsload.ipvs_model.schedulers.base import Client, SchedulerRule


class RoundRobin(SchedulerRule):
    """The next server after the last one chosen whose weight is not 0.

    The kernel keeps a mark in its list. A server that joins stands before the mark, so its
    turn comes in the next round. When the marked server leaves, the mark moves to the one
    before it (ip_vs_rr_del_dest), and to the list's head if there is none: then a server
    that joins next has the next turn. A change of weight leaves the mark where it is.
    """

    name: ClassVar[str] = "rr"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_rr.c, ip_vs_rr_schedule"

    _marked: int | None = None
    _turns: list[int] | None = None
    """Whose turn it is, one after the other; None: not known since a change."""
    _next = 0

    def choose(self, client: Client) -> int | None:
        """Turns do not look at the client."""
        turns = self._turns
        if turns is None:
            turns = self._turns = self._order()
        if not turns:
            return None
        if self._next == len(turns):
            self._next = 0
        self._marked = turns[self._next]
        self._next += 1
        return self._marked

    def changed(self) -> None:
        """The mark stays, or moves to the next newer server."""
        servers = self.servers
        while self._marked is not None and not servers.present[servers.place(self._marked)]:
            self._marked = self._marked + 1 if self._marked + 1 < len(servers) else None
        self._turns = None

    def _order(self) -> list[int]:
        places: list[int] = np.flatnonzero(self.servers.weights).tolist()
        mark = -1 if self._marked is None else self.servers.place(self._marked)
        self._next = bisect_right(places, mark)
        return [self.servers.place(place) for place in places]
