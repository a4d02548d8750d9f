"""What lc, wlc, sed and nq share: of all servers the first one with the least score.

The kernel compares load1 * weight2 with load2 * weight1 in 64-bit integers. Here load / weight is
a double for each server. Two unequal ratios differ by at least 1 / (weight1 * weight2), that is
by at least one part in load * weight, and division rounds to one part in 2**53: so the order
of doubles is that of the products while load * weight stays under 2**52. With 1,000 times
256 for the load of a thousand connections that is a weight of 17 thousand million.
"""

from abc import abstractmethod
from math import inf
from typing import ClassVar, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ipvsload.ipvs_model.schedulers.base import Client, SchedulerRule
from ipvsload.ipvs_model.server_list import Counts

Scores = NDArray[np.float64]
Load = TypeVar("Load", int, Counts)

_MANY = 1024
"""So many servers stand in blocks, whose least scores are kept."""
_BLOCK_BITS = 7
"""2 to this power is the size of a block."""


class LeastScore(SchedulerRule):
    """A server's score is its load, divided by its weight; that of weight 0 is infinite.

    Scores are kept in an array, where a count changes one and numpy finds the least. Its first
    least is the kernel's: the newest. Of many servers the least of each block is kept, too, so that
    a choice among ten thousand looks at some hundreds.
    """

    weighted: ClassVar[bool] = True
    """Whether the weight divides the load, or 0 alone counts."""

    _scores: Scores | None = None
    """After a change there are none until somebody asks."""

    @abstractmethod
    def load(self, active: Load, inactive: Load) -> Load:
        """What is compared before the weight divides it: of one server, or of all in arrays."""

    def choose(self, client: Client) -> int | None:
        """The first server with the least score."""
        scores = self._scores
        if scores is None:
            scores = self._refresh()
        if not self._one_by_one:
            return None
        place = self._first_least() if self._blocks else int(scores.argmin())
        if self._one_by_one[place] == inf:
            return None
        return self._last - place

    def _first_least(self) -> int:
        blocks, scores = self._blocks, self._one_by_one
        for block in self._stale:
            first = block << _BLOCK_BITS
            self._least_one_by_one[block] = scores[first + int(blocks[block].argmin())]
        self._stale.clear()
        block = int(self._least.argmin())
        return (block << _BLOCK_BITS) + int(blocks[block].argmin())

    def changed(self) -> None:
        """All scores are to be taken anew."""
        self._scores = None

    def _refresh(self) -> Scores:
        servers = self.servers
        divisors = servers.weights if self.weighted else np.minimum(servers.weights, 1)
        self._scores = scores = np.full(len(servers), inf)
        load = self.load(servers.active, servers.inactive)
        np.divide(load, divisors, out=scores, where=divisors > 0)
        self._last = len(servers) - 1
        size = 1 << _BLOCK_BITS
        self._blocks: list[Scores] = []
        if len(servers) >= _MANY:
            self._blocks = [scores[first : first + size] for first in range(0, len(servers), size)]
        self._least = np.full(len(self._blocks), inf)
        self._least_one_by_one = cast("memoryview[float]", self._least.data)
        self._stale = set(range(len(self._blocks)))
        """Blocks whose least score has become more since."""
        # Single numbers are read and written three times as fast in a memoryview.
        self._one_by_one = cast("memoryview[float]", scores.data)
        self._divisors = divisors.data
        self._active = servers.active.data
        self._inactive = servers.inactive.data
        return scores

    def counted(self, number: int) -> None:
        """The server's score is taken anew."""
        if self._scores is None:
            return
        place = self._last - number
        divisor = self._divisors[place]
        if divisor:
            load = self.load(self._active[place], self._inactive[place])
            before = self._one_by_one[place]
            after = self._one_by_one[place] = load / divisor
            if self._blocks:
                block = place >> _BLOCK_BITS
                least = self._least_one_by_one[block]
                if after < least:
                    self._least_one_by_one[block] = after
                elif before <= least:
                    self._stale.add(block)

    def score(self, number: int) -> float:
        """The load, divided by the weight; infinite for a server that gets no connections."""
        if self._scores is None:
            self._refresh()
        return self._one_by_one[self.servers.place(number)]

    @classmethod
    def working(cls, weight: int, active: int, inactive: int, lc_law: int) -> str:
        """As `load`, in words: "256·3 + 12", "(256·3 + 12) / 2"."""
        load = cls.load_words(active, inactive, lc_law)
        return f"({load}) / {weight}" if load and cls.weighted and weight != 1 else load

    @staticmethod
    @abstractmethod
    def load_words(active: int, inactive: int, lc_law: int) -> str:
        """The load as a sum; "" where there is none to work out."""
