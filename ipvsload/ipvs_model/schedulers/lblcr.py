"""Locality-based least connections with replication."""

from math import inf
from typing import ClassVar

from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.schedulers.overloaded import is_overloaded
from ipvsload.ipvs_model.schedulers.wlc import WeightedLeastConnections


class ReplicatedLeastConnections(WeightedLeastConnections):
    """The least loaded of the destination address's set, which overload adds wlc's server to.

    Of equals in the set the one that came last into it is taken. A virtual service has one
    address, so the kernel's table has one set. That a set loses its most loaded server when
    it was the same for a day (net.ipv4.vs.lblcr_expiration) is left out.
    """

    name: ClassVar[str] = "lblcr"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_lblcr.c, ip_vs_lblcr_schedule"

    _set: tuple[int, ...] = ()
    """The newest member first."""

    def choose(self, client: Client) -> int | None:
        """The address is the service's, whatever the client's."""
        least = min(self._set, key=self.score, default=None)
        if (
            least is not None
            and self.score(least) != inf
            and not is_overloaded(self.servers, least)
        ):
            return least
        number = super().choose(client)
        if number is not None and number not in self._set:
            self._set = (number, *self._set)
        return number

    def changed(self) -> None:
        """A server that comes again is the one of before: the set holds it (ip_vs_dest_hold)."""
        super().changed()
        self._set = tuple(map(self.servers.again, self._set))
