"""Which weights the kernel's table had at which time of a run, as its samples saw it.

A change is seen in the first sample after it, so its time is later than it was, by one sampling
interval at most. A server that is not in the table has no weight here.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ipvsload.ipvs.table import RealServer

Reading = tuple[int, Mapping[str, RealServer]]
"""A sample's time in µs and its real servers by address (kernel_counts.readings)."""


class WeightEpoch(NamedTuple):
    """From the sample at `t_us` on the table had these weights, by address.

    `total` is their sum. `before_us` is when the sample before was taken, which had others.
    """

    t_us: int
    weights: Mapping[str, int]
    total: int
    before_us: int

    def share(self, address: str) -> float:
        """The server's part of all weight, 0 to 1."""
        return self.weights.get(address, 0) / self.total if self.total else 0.0


class WeightCourse:
    """The `epochs` of a run, in the order of time; none without samples."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self.epochs: list[WeightEpoch] = []
        before_us = None
        for t_us, table in readings:
            weights = {address: server.weight for address, server in table.items()}
            if before_us is None or self.epochs[-1].weights != weights:
                total = sum(weights.values())
                begun = t_us if before_us is None else before_us
                self.epochs.append(WeightEpoch(t_us, weights, total, begun))
            before_us = t_us
        self._times = [epoch.t_us for epoch in self.epochs]

    def places_at(self, times_us: NDArray[Any]) -> NDArray[np.intp]:
        """The place of the epoch at each time; before the first sample, of the first."""
        return np.maximum(0, np.searchsorted(self._times, times_us, side="right") - 1)
