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

    _numbers: list[int] | None = None
    """Those with a weight; None: not known since a change."""

    def choose(self, client: Client) -> int | None:
        """One draw."""
        numbers = self._with_weight()
        return numbers[int(self.settings.drawn() * len(numbers))] if numbers else None

    def chances(self) -> dict[int, float]:
        """That of each is the same."""
        numbers = self._with_weight()
        return {number: 1 / len(numbers) for number in numbers}

    def _with_weight(self) -> list[int]:
        if self._numbers is None:
            places: list[int] = np.flatnonzero(self.servers.weights).tolist()
            self._numbers = [self.servers.place(place) for place in places]
        return self._numbers

    def changed(self) -> None:
        """Other servers may have a weight."""
        self._numbers = None
