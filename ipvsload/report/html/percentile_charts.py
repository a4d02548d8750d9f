"""Latency by percentile, a chart a class: one line a column, with a band over its repeats."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from numpy.typing import NDArray

from ipvsload.record.reader import RecordedRun
from ipvsload.record.request_table import RequestTable
from ipvsload.record.row_groups import row_groups
from ipvsload.record.values_by_group import ValuesByGroup
from ipvsload.report.html import svg
from ipvsload.report.html.column_chart import ColumnChart, ColumnCurve, column_lines
from ipvsload.report.html.column_styles import ColumnStyle
from ipvsload.report.html.percentile_points import (
    STEPS,
    PercentileBand,
    over_repeats,
    percentile_curve,
)
from ipvsload.report.wording import DASH, figure, milliseconds, over
from ipvsload.statistics.median_range import MedianRange

NAMED = {2.0: "50 %", 10.0: "90 %", 100.0: "99 %", 1e3: "99.9 %", 1e4: "99.99 %", 1e5: "99.999 %"}
LOGARITHMIC_FROM = 40.0
"""Latencies that differ by this factor stand on a logarithmic axis; others on one from 0."""
FINE = 200.0
"""Up to this factor a logarithmic axis has ticks at 1, 2 and 5, else at powers of ten."""

Bands = dict[str, PercentileBand]
"""By column."""


def percentile_bands(runs: Iterable[tuple[str, RecordedRun]]) -> dict[str, Bands]:
    """Latencies in ms of answered requests, by class, of these runs with their columns' labels.

    Of each run only its points are kept.
    """
    curves: dict[str, dict[str, list[tuple[float, ...]]]] = defaultdict(lambda: defaultdict(list))
    for label, run in runs:
        latencies = ValuesByGroup(partial(_answered, run.requests))
        for name in latencies.groups:
            found = percentile_curve(latencies.of(name))
            curves[name][label].append(tuple(latency / 1000 for latency in found))
    return {
        name: {label: band for label, found in mine.items() if (band := over_repeats(found))}
        for name, mine in curves.items()
    }


def _answered(requests: RequestTable) -> Iterator[tuple[str, NDArray[Any]]]:
    """Latencies in µs of answered requests, by class."""
    for block in requests.blocks("traffic", "latency_us", "error", "status"):
        answered = block.where(~block.failed)
        for (traffic,), rows in row_groups(answered.traffic):
            yield requests.texts[traffic] or "", answered.latency_us[rows]


def percentile_chart(name: str, bands: Bands, styles: Mapping[str, ColumnStyle]) -> ColumnChart:
    """The chart of one class; there is at least one column."""
    longest = max(len(band.middle) for band in bands.values())
    x = svg.Axis(STEPS[0], STEPS[max(longest - 1, 1)], log=True)
    y, y_ticks = _latency_axis(
        min(band.low[0] for band in bands.values()), max(band.high[-1] for band in bands.values())
    )
    curves = [
        ColumnCurve(
            label,
            list(zip(STEPS, band.middle, strict=False)),
            list(zip(STEPS, band.low, band.high, strict=False)) if band.runs > 1 else (),
        )
        for label, band in bands.items()
    ]
    lines, height = column_lines(curves, styles, x, y)
    named = {step: text for step, text in NAMED.items() if step <= x.high}
    spoken = "; ".join(f"{label} {_spoken(band)}" for label, band in bands.items())
    return ColumnChart(
        title=name,
        unit="",
        lines=lines,
        x_ticks=[(round(x.place(step) * 100, 2), text) for step, text in named.items()],
        y_ticks=y_ticks,
        height=height,
        alternative=f"Latency of {name} by percentile: {spoken}",
        headers=list(named.values()),
        rows=[[label, *(_cell(band, step) for step in named)] for label, band in bands.items()],
    )


def _spoken(band: PercentileBand) -> str:
    known = [(text, found) for step, text in NAMED.items() if (found := band.at(step))]
    ends = [known[0], known[-1]] if len(known) > 1 else known
    return ", ".join(f"{text} {milliseconds(found[0])}" for text, found in ends) or "few requests"


def _cell(band: PercentileBand, step: float) -> str:
    found = band.at(step)
    return over(MedianRange(*found), milliseconds) if found else DASH


def _latency_axis(least: float, greatest: float) -> tuple[svg.Axis, list[tuple[float, str]]]:
    """An axis for latencies in ms, and its ticks."""
    least = max(least, 0.001)
    if greatest / least < LOGARITHMIC_FROM:
        y = svg.linear(greatest)
        return y, svg.labels(y, _tick)
    wide = svg.logarithmic(least, greatest)
    decades = [wide.low * 10**i for i in range(round(math.log10(wide.high / wide.low)) + 1)]
    finer = [decade * n for decade in decades for n in (1, 2, 5)]
    low = max(v for v in finer if v <= least * (1 + 1e-9))
    high = min(v for v in finer if v >= greatest * (1 - 1e-9))
    y = svg.Axis(low, high, log=True)
    ticks = [v for v in (finer if high / low <= FINE else decades) if low <= v <= high]
    return y, [(round(y.place(v) * 100, 2), _tick(v)) for v in ticks]


def _tick(ms: float) -> str:
    return f"{figure(ms)} ms" if ms < 1000 else f"{figure(ms / 1000)} s"
