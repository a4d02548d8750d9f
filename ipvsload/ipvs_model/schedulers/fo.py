"""Failover."""

from typing import ClassVar

from ipvsload.ipvs_model.schedulers.base import Client, SchedulerRule


class Failover(SchedulerRule):
    """The first server with the greatest weight, however many connections it has."""

    name: ClassVar[str] = "fo"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_fo.c, ip_vs_fo_schedule"

    def choose(self, client: Client) -> int | None:
        """Weights alone count."""
        weights = self.servers.weights
        if not len(weights):
            return None
        place = int(weights.argmax())
        return self.servers.place(place) if weights[place] else None
