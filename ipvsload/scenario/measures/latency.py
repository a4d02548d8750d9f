"""Measures of latency: of answered requests, from their planned start, in ms.

A refusal is quick and would make a broken server look fast, so failed requests
do not count here.
"""

from collections.abc import Sequence

from ipvsload.scenario.measures.base import FinalCounts, Measure, MeasureKind
from ipvsload.scenario.measures.traffic_counts import of_requests
from ipvsload.statistics.percentiles import percentile

LATENCIES = {
    "p50": "latency that half of the requests did not exceed",
    "p90": "latency that 90 % of the requests did not exceed",
    "p95": "latency that 95 % of the requests did not exceed",
    "p99": "latency that 99 % of the requests did not exceed",
    "max": "greatest latency",
    "mean": "mean latency",
}
"""Each figure of latency with its meaning; "pN" is the Nth percentile."""


def latency_ms(ordered_us: Sequence[int], which: str) -> float | None:
    """One of LATENCIES, in ms, of latencies in µs in ascending order; None without any."""
    if not ordered_us:
        return None
    match which:
        case "max":
            return ordered_us[-1] / 1000
        case "mean":
            return sum(ordered_us) / len(ordered_us) / 1000
        case _:
            return percentile(ordered_us, float(which.removeprefix("p"))) / 1000


def _row(which: str, meaning: str) -> MeasureKind:
    def value(run: FinalCounts, measure: Measure, address: str | None) -> float | None:
        return latency_ms(run.requests.latencies(measure.class_, address), which)

    return MeasureKind(f"latency_{which}", "ms", meaning, final=of_requests(value))


MEASURES = tuple(_row(which, meaning) for which, meaning in LATENCIES.items())
