"""Chance, as in kube-proxy's modes iptables and nftables."""

from typing import ClassVar

import numpy as np

from ipvsload.ipvs_model.schedulers.base import Client, SchedulerRule


class RandomChoice(SchedulerRule):
    """Any server whose weight is not 0; more than that does not count."""

    name: ClassVar[str] = "random"
    source: ClassVar[str] = (
        "pkg/proxy/iptables/proxier.go, writeServiceToEndpointRules: --probability 1/N, 1/(N-1)"
    )
    by_chance: ClassVar[bool] = True

    def choose(self, client: Client) -> int | None:
        """One draw."""
        if not self._numbers:
            return None
        return self._numbers[int(self.settings.drawn() * len(self._numbers))]

    def changed(self) -> None:
        """Other servers may have a weight."""
        servers = self.servers
        places = np.flatnonzero(servers.weights).tolist()
        self._numbers: list[int] = [servers.place(place) for place in places]
