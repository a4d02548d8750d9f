"""Round robin."""

from typing import ClassVar

from ipvsload.ipvs_model.schedulers.base import Client, SchedulerRule


class RoundRobin(SchedulerRule):
    """The next server after the last one chosen whose weight is not 0."""

    name: ClassVar[str] = "rr"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_rr.c, ip_vs_rr_schedule"

    _last: int | None = None

    def choose(self, client: Client) -> int | None:
        """Turns do not look at the client."""
        raise NotImplementedError
