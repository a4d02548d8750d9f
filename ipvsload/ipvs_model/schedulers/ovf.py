"""Overflow."""

from typing import ClassVar

from ipvsload.ipvs_model.schedulers.base import Client, SchedulerRule


class Overflow(SchedulerRule):
    """The first server with the greatest weight of those with no more active ones than that.

    So a server takes one connection more than its weight, and no server the next one
    when all have.
    """

    name: ClassVar[str] = "ovf"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_ovf.c, ip_vs_ovf_schedule"

    def choose(self, client: Client) -> int | None:
        """Weights count, and active connections."""
        weights = self.servers.weights
        if not len(weights):
            return None
        rooms = weights * (self.servers.active <= weights)
        place = int(rooms.argmax())
        return self.servers.place(place) if rooms[place] else None
