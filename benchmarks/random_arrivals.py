"""Arrivals of a Poisson process with exponential or other work, in batches by a seed."""

from collections.abc import Callable, Iterator
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from ipvsload.simulate.connection_stream import Arrival

_BATCH = 16_384
_SECOND = 1e9

Floats = NDArray[np.float64]
WorkDraw = Callable[[np.random.Generator, int], Floats]
"""Gives so many draws of work, in seconds."""


def exponential(mean_s: float) -> WorkDraw:
    """What queueing theory calls M."""
    return lambda chance, many: chance.exponential(mean_s, many)


def one_in_ten_long(mean_s: float) -> WorkDraw:
    """Exponential, but one in ten takes 11 times as long as the others; `mean_s` is of all."""
    short = mean_s / 2
    return lambda chance, many: (
        chance.exponential(short, many) * np.where(chance.random(many) < 0.1, 11, 1)
    )


def poisson_arrivals(
    connections: int, rate: float, work: WorkDraw, seed: int = 1, traffic: int = 0
) -> Iterator[Arrival]:
    """So many of them, `rate` a second in the mean."""
    chance = np.random.default_rng(seed)
    began = 0.0
    while connections:
        many = min(connections, _BATCH)
        connections -= many
        times = began + np.cumsum(chance.exponential(1 / rate, many))
        began = times[-1]
        at_ns = (times * _SECOND).astype(np.int64).tolist()
        work_ns = (work(chance, many) * _SECOND).astype(np.int64).tolist()
        yield from zip(at_ns, work_ns, repeat(traffic))
