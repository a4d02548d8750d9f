"""The real servers of one virtual service as its scheduler sees them.

The kernel adds a server at the head of the service's list (ip_vs_ctl.c, __ip_vs_update_dest,
list_add_rcu), and schedulers walk the list from there: of equals the newest wins. So everything
here stands in that order. Counts are arrays, because a model may have ten thousand servers.
"""

import numpy as np
from numpy.typing import NDArray

_ROOM = 16

Counts = NDArray[np.int64]


class ServerList:
    """Servers have numbers from 0 on, in the order of joining; a number is never used again.

    `weights`, `active` and `inactive` have one entry a server that ever joined, the newest
    first: server `number` is at `place(number)`. A server that has left has weight 0 and is
    not `present`. `last_weights` are the latest ones that were not 0, for servers that did not
    join with 0 (__ip_vs_update_dest, last_weight).
    """

    def __init__(self) -> None:
        self.addresses: list[str] = []
        """By number."""
        self._room = np.zeros((5, _ROOM), np.int64)
        self._show()

    def __len__(self) -> int:
        return len(self.addresses)

    def place(self, number: int) -> int:
        """Where a server stands in the arrays; its own inverse, so also the number at a place."""
        return len(self.addresses) - 1 - number

    def join(self, address: str, weight: int) -> int:
        """A server joins at the head of the list. Returns its number."""
        rows, room = self._room.shape
        if len(self.addresses) == room:
            self._room = np.hstack([np.zeros((rows, room), np.int64), self._room])
        self.addresses.append(address)
        self._show()
        self.weights[0] = self.last_weights[0] = weight
        self.present[0] = 1
        return len(self.addresses) - 1

    def set_weight(self, number: int, weight: int) -> None:
        """A server has another weight."""
        place = self.place(number)
        self.weights[place] = weight
        if weight:
            self.last_weights[place] = weight

    def leave(self, number: int) -> None:
        """A server is taken out of the list; connections that it has are still counted."""
        place = self.place(number)
        self.weights[place] = self.present[place] = 0

    def again(self, number: int) -> int:
        """The number that a server has which may have left and come again: its latest."""
        if self.present[self.place(number)]:
            return number
        return self.place(self.addresses[::-1].index(self.addresses[number]))

    def _show(self) -> None:
        # From the end on, so that places move and nothing else does.
        first = self._room.shape[1] - len(self.addresses)
        self.weights: Counts = self._room[0, first:]
        self.active: Counts = self._room[1, first:]
        self.inactive: Counts = self._room[2, first:]
        self.present: Counts = self._room[3, first:]
        self.last_weights: Counts = self._room[4, first:]
