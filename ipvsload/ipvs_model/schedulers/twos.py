"""The better of two draws."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

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

    def choose(self, client: Client) -> int | None:
        """Two draws, also when there is but one server."""
        if self._scores is None:
            self._refresh()
        if not self._total:
            return None
        first, second = self._drawn(), self._drawn()
        scores = self._one_by_one
        return self.servers.place(second if scores[second] < scores[first] else first)

    def _refresh(self) -> NDArray[np.float64]:
        scores = super()._refresh()
        weights = self.servers.weights
        self._places = np.flatnonzero(weights)
        self._sums = np.cumsum(weights[self._places])
        self._total = int(weights.sum())
        return scores

    def _drawn(self) -> int:
        number = int(self.settings.drawn() * (self._total + 1))
        return int(self._places[self._sums.searchsorted(number)])
