"""Locality-based least connections."""

from typing import ClassVar

from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.schedulers.overloaded import is_overloaded
from ipvsload.ipvs_model.schedulers.wlc import WeightedLeastConnections


class LocalityBasedLeastConnections(WeightedLeastConnections):
    """The server that the destination address had before; without one, or overloaded, wlc's.

    A virtual service has one address, so the kernel's table has one entry. That it is
    forgotten when unused for a day (ip_vs_lblc_check_expire) is left out.
    """

    name: ClassVar[str] = "lblc"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_lblc.c, ip_vs_lblc_schedule"

    _before: int | None = None

    def choose(self, client: Client) -> int | None:
        """The address is the service's, whatever the client's."""
        before = self._before
        if (
            before is not None
            and self.servers.weights[self.servers.place(before)]
            and not is_overloaded(self.servers, before)
        ):
            return before
        number = super().choose(client)
        if number is not None:
            self._before = number
        return number

    def changed(self) -> None:
        """A server that comes again is the one of before: the entry holds it (ip_vs_dest_hold)."""
        super().changed()
        if self._before is not None:
            self._before = self.servers.again(self._before)
