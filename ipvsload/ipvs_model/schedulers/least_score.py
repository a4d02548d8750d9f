"""What lc, wlc, sed and nq share: of all servers the first one with the least score.

The kernel compares load1 * weight2 with load2 * weight1 in 64-bit integers. Here a server's key is
load * 2**n / weight, rounded down. Two unequal ratios differ by at least 1 / (weight1 * weight2),
so where 2**n is no less than the square of the greatest weight their keys differ, too; and equal
ratios have equal keys. So the order of keys is that of the kernel's products.
"""

from abc import abstractmethod
from math import inf
from typing import ClassVar, TypeVar

import numpy as np

from ipvsload.ipvs_model.schedulers.base import Client, SchedulerRule
from ipvsload.ipvs_model.schedulers.first_least import FirstLeast
from ipvsload.ipvs_model.server_list import Counts

Load = TypeVar("Load", int, Counts)

_NOT_AT_ALL = 2**63 - 1
"""The key of weight 0."""


class LeastScore(SchedulerRule):
    """A server's score is its load, divided by its weight; that of weight 0 is infinite.

    Of equal scores the first in the list wins, as in the kernel: the newest.
    """

    weighted: ClassVar[bool] = True
    """Whether the weight divides the load, or 0 alone counts."""

    _order: FirstLeast | None = None
    """After a change there is none until somebody asks."""

    @abstractmethod
    def load(self, active: Load, inactive: Load) -> Load:
        """What is compared before the weight divides it: of one server, or of all in arrays."""

    def choose(self, client: Client) -> int | None:
        """The first server with the least score."""
        order = self._order
        if order is None:
            order = self._refresh()
        place = order.first()
        return None if place is None else self._last - place

    def choices(self, active: Counts, inactive: Counts) -> Counts | None:
        """The first server with the least score, for each row.

        None of a rule that chooses otherwise in some cases.
        """
        if type(self).choose is not LeastScore.choose:
            return None
        self._read_servers()
        divisors = np.asarray(self._divisors)
        keys = np.full(active.shape, _NOT_AT_ALL)
        loads = self.load(active, inactive) << self._shift
        np.floor_divide(loads, divisors, out=keys, where=divisors > 0)
        places = keys.argmin(axis=1)
        least = keys[np.arange(len(places)), places]
        return np.where(least < _NOT_AT_ALL, self._last - places, -1)

    def changed(self) -> None:
        """All scores are to be taken anew."""
        self._order = None

    def _refresh(self) -> FirstLeast:
        self._read_servers()
        places = enumerate(self._divisors)
        self._order = FirstLeast(self._key(place) if divisor else None for place, divisor in places)
        return self._order

    def _read_servers(self) -> None:
        servers = self.servers
        divisors = servers.weights if self.weighted else servers.weights.clip(max=1)
        self._shift = 2 * (int(divisors.max(initial=1)) - 1).bit_length()
        self._last = len(servers) - 1
        # Single numbers are read and written three times as fast in a memoryview.
        self._divisors = divisors.data
        self._active = servers.active.data
        self._inactive = servers.inactive.data

    def _key(self, place: int) -> int:
        load = self.load(self._active[place], self._inactive[place])
        return (load << self._shift) // self._divisors[place]

    def counted(self, number: int) -> None:
        """The server's score is taken anew."""
        order = self._order
        if order is not None:
            place = self._last - number
            divisor = self._divisors[place]
            if divisor:
                # As _key; a call more would cost a tenth of the whole.
                load = self.load(self._active[place], self._inactive[place])
                order.put(place, (load << self._shift) // divisor)

    def score(self, number: int) -> float:
        """The load, divided by the weight; infinite for a server that gets no connections."""
        servers, place = self.servers, self.servers.place(number)
        weight = int(servers.weights[place])
        if not weight:
            return inf
        load = self.load(int(servers.active[place]), int(servers.inactive[place]))
        return load / weight if self.weighted else float(load)

    @classmethod
    def working(cls, weight: int, active: int, inactive: int, lc_law: int) -> str:
        """As `load`, in words: "256·3 + 12", "(256·3 + 12) / 2"."""
        load = cls.load_words(active, inactive, lc_law)
        return f"({load}) / {weight}" if load and cls.weighted and weight != 1 else load

    @staticmethod
    @abstractmethod
    def load_words(active: int, inactive: int, lc_law: int) -> str:
        """The load as a sum; "" where there is none to work out."""
