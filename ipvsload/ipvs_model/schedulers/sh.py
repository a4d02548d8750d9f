"""Source hashing."""

from itertools import cycle
from typing import ClassVar

from ipvsload.ipvs_model.address_hashes import folded, hash_32
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings, SchedulerRule

_BITS = 8  # CONFIG_IP_VS_SH_TAB_BITS, in the kernels that we know
BUCKETS = 1 << _BITS


class SourceHashing(SchedulerRule):
    """The servers stand in a table of 256 buckets in turn, each as often as its weight says.

    One of weight 0 has a bucket in each turn, too. A client whose bucket is that server's gets
    none, or with sh-fallback another one (ip_vs_sh_reassign, ip_vs_sh_get_fallback).
    """

    name: ClassVar[str] = "sh"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_sh.c, ip_vs_sh_schedule"

    _table: tuple[int, ...] | None = None

    def changed(self) -> None:
        """The table is filled anew."""
        self._table = None

    def choose(self, client: Client) -> int | None:
        """By the client's address, with sh-port by its port, too."""
        table = self.table()
        if not table:
            return None
        flags = self.settings.flags
        bucket, _ = self.bucket(client, self.settings)
        weights, place = self.servers.weights, self.servers.place
        if weights[place(table[bucket])] > 0:
            return table[bucket]
        if "sh-fallback" in flags:
            # Each step is the bucket's number, and the first step is no step from 0.
            for step in range(BUCKETS):
                number = table[(bucket + (bucket + step) % BUCKETS) % BUCKETS]
                if weights[place(number)] > 0:
                    return number
        return None

    @classmethod
    def bucket(cls, client: Client, settings: RuleSettings) -> tuple[int, int]:
        """As ip_vs_sh_hashkey."""
        port = client.port if "sh-port" in settings.flags else 0
        return hash_32(port + folded(client.address), _BITS), BUCKETS

    def table(self) -> tuple[int, ...]:
        """The number of the server in each bucket; () without servers."""
        if self._table is None:
            servers = self.servers
            walk = cycle(servers.present.nonzero()[0].tolist())
            filled: list[int] = []
            for place in walk:
                turns = min(max(1, int(servers.weights[place])), BUCKETS)
                filled += [servers.place(place)] * turns
                if len(filled) >= BUCKETS:
                    break
            self._table = tuple(filled[:BUCKETS])
        return self._table
