"""The curves of a run's requests: how many ended each second, how many failed, how long they took.

However many there are, each curve has a few hundred points.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.request_table import RequestTable
from ipvsload.record.row_groups import row_groups
from ipvsload.record.values_by_group import ValuesByGroup
from ipvsload.report.html.chart_series import Band, Point
from ipvsload.statistics.percentiles import percentile

MAX_DOTS = 600
"""With more answers than this the chart shows a band and its median, not one dot for each."""


class RequestCurves(NamedTuple):
    """What `RunCurves` has of requests, by class. `failures` are of all; [] without any."""

    rates: dict[str, list[Point]]
    failures: list[Point]
    answers: dict[str, list[Band]]
    dots: bool


def request_curves(
    requests: RequestTable, classes: Sequence[str], zero_us: int, end: float, width: float
) -> RequestCurves:
    """Of these classes, from `zero_us` to `end` seconds later, in buckets of `width` seconds."""
    buckets = int(end / width) + 1
    rates = {name: np.zeros(buckets, np.int64) for name in classes}
    failures = np.zeros(buckets, np.int64)
    failed = answered = 0
    latency: ValuesByGroup[tuple[str, int]] = ValuesByGroup()

    def seconds(times_us: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool]]:
        t = (times_us - zero_us) / 1e6
        return t, (t >= 0) & (t <= end)

    def counted(times_us: NDArray[Any]) -> NDArray[np.intp]:
        t, inside = seconds(times_us)
        return np.bincount((t[inside] / width).astype(np.int64), minlength=buckets)

    for block in requests.blocks("traffic", "planned_us", "latency_us", "error", "status"):
        failures += counted(block.end_us[block.failed])
        failed += int(block.failed.sum())
        for (traffic,), rows in row_groups(block.traffic):
            name = requests.texts[traffic] or ""
            if name in rates:
                rates[name] += counted(block.end_us[rows])
                ok = block.where(rows[~block.failed[rows]])
                answered += len(ok.traffic)
                t, inside = seconds(ok.planned_us)
                places = (t[inside] / width).astype(np.int64)
                of_inside = ok.latency_us[inside]
                for (bucket,), mine in row_groups(places):
                    latency.add((name, bucket), of_inside[mine])
    dots = answered <= MAX_DOTS
    return RequestCurves(
        {name: _per_second(counts, width) for name, counts in rates.items()},
        _per_second(failures, width) if failed else [],
        _dots(requests, classes, zero_us) if dots else _bands(latency, classes, width),
        dots,
    )


def _per_second(counts: NDArray[np.int64], width: float) -> list[Point]:
    return [(i * width, count / width) for i, count in enumerate(counts.tolist())]


def _dots(requests: RequestTable, classes: Sequence[str], zero_us: int) -> dict[str, list[Band]]:
    found: dict[str, list[Band]] = {name: [] for name in classes}
    for one in requests.rows(lambda block: block.where(~block.failed)):
        if one.traffic in found:
            ms = one.latency_us / 1000
            found[one.traffic].append(((one.planned_us - zero_us) / 1e6, ms, ms, ms))
    return found


def _bands(
    latency: ValuesByGroup[tuple[str, int]], classes: Sequence[str], width: float
) -> dict[str, list[Band]]:
    found: dict[str, list[Band]] = {name: [] for name in classes}
    for name, bucket in sorted(latency.groups):
        ordered = latency.of((name, bucket))
        values = ordered[0], percentile(ordered, 50), ordered[-1]
        least, median, greatest = (value / 1000 for value in values)
        found[name].append(((bucket + 0.5) * width, least, median, greatest))
    return found
