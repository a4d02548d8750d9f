"""Whether latencies stayed the same over a run, and as how many independent ones they count.

Latencies that rise are a fact of the servers, and no fault of the generator: of an overloaded
system there is no steady state, and each percentile says how long the run was. And latencies
that met the same queue depend on each other: ten thousand of them may say no more about their
mean than a hundred independent ones would (Kogias, Mallon and Bugnion, "Lancet", USENIX
ATC 2019, tests both, too). So this is told, and makes no run invalid.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ipvsload.statistics.effective_sample_size import effective_sample_size
from ipvsload.statistics.rank_correlation import serial_correlation
from ipvsload.statistics.trend import trend

LEVEL = 1e-3
"""One run in a thousand would be said to have a trend, and has none."""
BATCHES = 40
LEAST = 200
"""Of fewer latencies, batches of five say nothing."""
CHANGE_LIMIT = 0.1
"""A smaller change over the run, as a part of the median latency, is no trend that matters."""
MOST_RANKED = 50_000


@dataclass(frozen=True, slots=True)
class Steadiness:
    """What became of the latencies of answered requests, in the order in which they were due.

    `tau` and `p` are Mann's and Kendall's of the medians of `batches` batches, `change_ms` the
    whole change over the run; `trend` rises or falls where p is less than `level` and the
    change is more than a tenth of the median. `lag1` is Spearman's rank correlation of neighbours.
    `effective` is how many independent latencies would say as much about the mean.
    """

    latencies: int
    batches: int
    tau: float
    p: float
    level: float
    change_ms: float
    median_ms: float
    trend: Literal["steady", "rises", "falls"]
    lag1: float
    lag1_p: float
    effective: float


def steadiness(latencies_us: NDArray[Any]) -> Steadiness | None:
    """Of latencies in µs in the order of time; None of fewer than LEAST."""
    n = len(latencies_us)
    effective = effective_sample_size(latencies_us)
    if n < LEAST or effective is None:
        return None
    edges = [n * i // BATCHES for i in range(BATCHES + 1)]
    batches = [float(np.median(latencies_us[a:b])) for a, b in pairwise(edges)]
    over = trend(batches)
    median = float(np.median(latencies_us))
    matters = over.p < LEVEL and abs(over.change) > CHANGE_LIMIT * median
    # All of a long run would take long to rank, and add nothing.
    lag1 = serial_correlation(latencies_us[:MOST_RANKED].tolist())
    return Steadiness(
        latencies=n,
        batches=BATCHES,
        tau=over.tau,
        p=over.p,
        level=LEVEL,
        change_ms=over.change / 1000,
        median_ms=median / 1000,
        trend="steady" if not matters else "rises" if over.change > 0 else "falls",
        lag1=lag1.rho,
        lag1_p=lag1.p,
        effective=effective,
    )
