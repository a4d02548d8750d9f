"""Weighted round robin."""

from typing import ClassVar

import numpy as np

from ipvsload.ipvs_model.schedulers.base import Client, SchedulerRule


class WeightedRoundRobin(SchedulerRule):
    """Turns in passes: each takes the servers that have at least the pass's weight.

    The pass's weight goes down from the greatest by the weights' common divisor, so that
    heavy servers take part in more passes (struct ip_vs_wrr_mark: cw, mw, di). Whatever changes
    in the list of servers begins the current pass again at its head (ip_vs_wrr_dest_changed).
    """

    name: ClassVar[str] = "wrr"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_wrr.c, ip_vs_wrr_schedule"

    _weight = 0
    """The pass's."""
    _turns: list[int] | None = None
    """Those that take part in the pass; None: not known since it began."""
    _next = 0

    def choose(self, client: Client) -> int | None:
        """Turns do not look at the client."""
        if not self._greatest:
            return None
        # No pass is empty: its weight is the greatest one's at most.
        turns = self._turns
        if turns is None:
            turns = self._turns = self._begin_pass()
        elif self._next == len(turns):
            self._weight -= self._step
            if self._weight <= 0:
                self._weight = self._greatest
            turns = self._turns = self._begin_pass()
        self._next += 1
        return turns[self._next - 1]

    def changed(self) -> None:
        """The pass begins again, with a weight that the new weights can have."""
        weights = self.servers.weights[self.servers.weights > 0]
        self._step = int(np.gcd.reduce(weights)) if len(weights) else 1
        # Less by the step but one, so that the last pass's weight is 1 (since Linux 3.10).
        self._greatest = int(weights.max(initial=0)) - (self._step - 1)
        if self._weight > self._greatest or not self._weight:
            self._weight = self._greatest
        elif self._step > 1:
            self._weight = self._weight // self._step * self._step + 1
        self._turns = None

    def _begin_pass(self) -> list[int]:
        places: list[int] = np.flatnonzero(self.servers.weights >= self._weight).tolist()
        self._next = 0
        return [self.servers.place(place) for place in places]
