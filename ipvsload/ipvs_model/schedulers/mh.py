"""Maglev hashing."""

from functools import lru_cache
from math import gcd
from typing import ClassVar

from ipvsload.ipvs_model.address_hashes import Key, folded, hsiphash
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings, SchedulerRule
from ipvsload.ipvs_model.server_list import Counts

SLOTS = 4093  # primes[CONFIG_IP_VS_MH_TAB_INDEX - 8], in the kernels that we know
_WEIGHT_BITS = 6  # IP_VS_MH_TAB_BITS
_FIRST: Key = (2654435761, 2654435761)
_SECOND: Key = (2654446892, 2654446892)


class MaglevHashing(SchedulerRule):
    """Each server takes slots of a table of 4,093 in turn, each by an order of its own.

    So a server that comes or goes moves few slots of others (Eisenbud et al., NSDI 2016, 3.4).
    Weight 0 keeps a server's slots: a client of one gets none, or with mh-fallback another
    server (ip_vs_mh_get_fallback). With more servers than slots the table stays as it was
    (ip_vs_mh_reassign).
    """

    name: ClassVar[str] = "mh"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_mh.c, ip_vs_mh_schedule"

    _table: tuple[int, ...] | None = None
    _filled_with: tuple[Counts, Counts] | None = None
    """Numbers and weights of the servers that the table is for, in the kernel's order."""

    def changed(self) -> None:
        """The table is filled anew if there are not too many servers."""
        servers = self.servers
        places = servers.present.nonzero()[0]
        if len(places) <= SLOTS:
            self._filled_with = servers.place(0) - places, servers.last_weights[places]
            self._table = None

    def choose(self, client: Client) -> int | None:
        """By the client's address, with mh-port by its port, too."""
        table = self.table()
        if not table:
            return None
        flags = self.settings.flags
        value = folded(client.address) + (client.port if "mh-port" in flags else 0)
        slot = _slot(value)
        weights, place = self.servers.weights, self.servers.place
        if weights[place(table[slot])] > 0:
            return table[slot]
        if "mh-fallback" in flags:
            for step in range(SLOTS):
                number = table[_slot(value + (slot + step) % SLOTS)]
                if weights[place(number)] > 0:
                    return number
        return None

    @classmethod
    def bucket(cls, client: Client, settings: RuleSettings) -> tuple[int, int]:
        """As ip_vs_mh_hashkey."""
        port = client.port if "mh-port" in settings.flags else 0
        return _slot(folded(client.address) + port), SLOTS

    def table(self) -> tuple[int, ...]:
        """The number of the server in each slot; () where no server ever had a weight."""
        if self._table is None:
            self._table = self._fill()
        return self._table

    def _fill(self) -> tuple[int, ...]:
        if self._filled_with is None:
            return ()
        numbers, weights = (column.tolist() for column in self._filled_with)
        divisor = gcd(*weights)
        if not divisor:
            return ()
        most = max(weights) // divisor
        shift = max(0, most.bit_length() - _WEIGHT_BITS)
        table = [-1] * SLOTS
        free = SLOTS
        walkers = [
            (number, max(1, weight // divisor >> shift), *self._order(number))
            for number, weight in zip(numbers, weights, strict=True)
            if weight
        ]
        at = [first for _, _, first, _ in walkers]
        while True:
            for walker, (number, turns, _, skip) in enumerate(walkers):
                slot = at[walker]
                for _ in range(turns):
                    while table[slot] >= 0:
                        slot = (slot + skip) % SLOTS
                    table[slot] = number
                    free -= 1
                    if not free:
                        return tuple(table)
                at[walker] = slot

    def _order(self, number: int) -> tuple[int, int]:
        """Where a server begins in the table, and how far it goes on (ip_vs_mh_permutate)."""
        host, _, port = self.servers.addresses[number].rpartition(":")
        value = folded(host.strip("[]")) + int(port)
        return _slot(value), hsiphash(value, _SECOND) % (SLOTS - 1) + 1


@lru_cache(maxsize=1 << 16)
def _slot(value: int) -> int:
    return hsiphash(value, _FIRST) % SLOTS
