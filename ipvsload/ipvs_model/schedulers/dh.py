"""Destination hashing."""

from typing import ClassVar

from ipvsload.ipvs_model.address_hashes import folded, hash_32
from ipvsload.ipvs_model.schedulers.base import Client, SchedulerRule

_BITS = 8  # CONFIG_IP_VS_DH_TAB_BITS, in the kernels that we know


class DestinationHashing(SchedulerRule):
    """The servers stand in a table of 256 buckets in turn, whatever their weight.

    A service has one address and so one bucket. If the server there has weight 0, nobody is chosen.
    """

    name: ClassVar[str] = "dh"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_dh.c, ip_vs_dh_schedule"

    def choose(self, client: Client) -> int | None:
        """The client does not matter."""
        places = self.servers.present.nonzero()[0]
        if not len(places):
            return None
        place = int(places[hash_32(folded(self.settings.destination), _BITS) % len(places)])
        return self.servers.place(place) if self.servers.weights[place] > 0 else None
