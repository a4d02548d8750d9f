"""The better of two draws."""

from typing import ClassVar

import numpy as np

from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.schedulers.wlc import WeightedLeastConnections


class PowerOfTwo(WeightedLeastConnections):
    """Two draws in proportion to the weights, and of them the one with wlc's lower score.

    A draw is a whole number from 0 to the sum of the weights, both included: the first server
    has one chance more than its weight. Of equals the first draw is taken.
    """

    name: ClassVar[str] = "twos"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_twos.c, ip_vs_twos_schedule"
    by_chance: ClassVar[bool] = True

    _total: int | None = None
    """Of all weights; None: not known since a change."""

    def choose(self, client: Client) -> int | None:
        """Two draws, also when there is but one server."""
        if self._total is None:
            self._total = self._sum_up()
        if not self._total:
            return None
        first, second = self._drawn(self._total), self._drawn(self._total)
        return self.servers.place(second if self._key(second) < self._key(first) else first)

    def changed(self) -> None:
        """The sum of the weights is to be taken anew."""
        super().changed()
        self._total = None

    def _sum_up(self) -> int:
        self._read_servers()
        weights = self.servers.weights
        self._places = np.flatnonzero(weights)
        self._sums = np.cumsum(weights[self._places])
        return int(weights.sum())

    def _drawn(self, total: int) -> int:
        number = int(self.settings.drawn() * (total + 1))
        return int(self._places[self._sums.searchsorted(number)])
