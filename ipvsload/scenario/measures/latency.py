"""Measures of latency: of answered requests, from their planned start, in ms.

A refusal is quick and would make a broken server look fast, so failed requests
do not count here.
"""

from collections.abc import Sequence

from ipvsload.scenario.measures.base import MeasureKind
from ipvsload.scenario.measures.traffic_counts import of_requests
from ipvsload.statistics.percentiles import percentile

LATENCIES = ("p50", "p90", "p95", "p99", "p999", "max", "mean")
"""The figures of latency; "pN" is what N % of the requests did not exceed, "p999" 99.9 %."""

_PARTS = {"p50": 50, "p90": 90, "p95": 95, "p99": 99, "p999": 99.9, "max": 100}


def percent_of(which: str) -> float:
    """How many % of the requests a figure of LATENCIES, other than the mean, is not exceeded by."""
    return _PARTS[which]


def latency_ms(ordered_us: Sequence[int], which: str) -> float | None:
    """One of LATENCIES, in ms, of latencies in µs in ascending order; None without any."""
    if not ordered_us:
        return None
    if which == "mean":
        return sum(ordered_us) / len(ordered_us) / 1000
    return percentile(ordered_us, percent_of(which)) / 1000


def _row(which: str) -> MeasureKind:
    figure = of_requests(lambda seen, *of: latency_ms(seen.latencies(*of), which))
    return MeasureKind(f"latency_{which}", "ms", final=figure, better="less")


MEASURES = tuple(map(_row, LATENCIES))
