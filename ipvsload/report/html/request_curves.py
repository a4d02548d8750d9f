"""The curves of a run's requests: how many ended each second, how many failed, how long they took.

However many there are, each curve has a few hundred points.
"""

from collections.abc import Iterator, Sequence
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
    buckets = _Buckets(zero_us, end, width)
    rates = {name: np.zeros(buckets.many, np.int64) for name in classes}
    failures = np.zeros(buckets.many, np.int64)
    failed = answered = 0
    for block in requests.blocks("traffic", "planned_us", "latency_us", "error", "status"):
        failures += buckets.counted(block.end_us[block.failed])
        failed += int(block.failed.sum())
        for (traffic,), rows in row_groups(block.traffic):
            name = requests.texts[traffic] or ""
            if name in rates:
                rates[name] += buckets.counted(block.end_us[rows])
                answered += int((~block.failed[rows]).sum())
    dots = answered <= MAX_DOTS
    draw = _dots if dots else _bands
    return RequestCurves(
        {name: _per_second(counts, width) for name, counts in rates.items()},
        _per_second(failures, width) if failed else [],
        draw(requests, classes, buckets),
        dots,
    )


class _Buckets:
    """Stretches of `width` seconds, from `zero_us` to `end` seconds later."""

    def __init__(self, zero_us: int, end: float, width: float) -> None:
        self.zero_us = zero_us
        self.width = width
        self.many = int(end / width) + 1
        self._end = end

    def of(self, times_us: NDArray[Any]) -> NDArray[np.int64]:
        """The bucket of each time; -1 outside of all."""
        seconds = (times_us - self.zero_us) / 1e6
        inside = (seconds >= 0) & (seconds <= self._end)
        return np.where(inside, (seconds / self.width).astype(np.int64), -1)

    def counted(self, times_us: NDArray[Any]) -> NDArray[np.intp]:
        """How many are in each."""
        return np.bincount(self.of(times_us) + 1, minlength=self.many + 1)[1:]


def _per_second(counts: NDArray[np.int64], width: float) -> list[Point]:
    return [(i * width, count / width) for i, count in enumerate(counts.tolist())]


def _dots(
    requests: RequestTable, classes: Sequence[str], buckets: _Buckets
) -> dict[str, list[Band]]:
    found: dict[str, list[Band]] = {name: [] for name in classes}
    for one in requests.rows(lambda block: block.where(~block.failed)):
        if one.traffic in found:
            ms = one.latency_us / 1000
            found[one.traffic].append(((one.planned_us - buckets.zero_us) / 1e6, ms, ms, ms))
    return found


def _bands(
    requests: RequestTable, classes: Sequence[str], buckets: _Buckets
) -> dict[str, list[Band]]:
    def pieces() -> Iterator[tuple[tuple[str, int], NDArray[Any]]]:
        for block in requests.blocks("traffic", "planned_us", "latency_us", "error", "status"):
            answered = block.where(~block.failed)
            places = buckets.of(answered.planned_us) + 1
            for (traffic, place), rows in row_groups(answered.traffic, places):
                if place:
                    yield (requests.texts[traffic] or "", place - 1), answered.latency_us[rows]

    latency = ValuesByGroup(pieces)
    found: dict[str, list[Band]] = {name: [] for name in classes}
    for name, bucket in sorted(latency.groups):
        if name in found:
            ordered = latency.of((name, bucket))
            values = ordered[0], percentile(ordered, 50), ordered[-1]
            least, median, greatest = (value / 1000 for value in values)
            found[name].append(((bucket + 0.5) * buckets.width, least, median, greatest))
    return found
