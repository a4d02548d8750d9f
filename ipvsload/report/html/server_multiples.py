"""Small charts of servers over time, one a column, on the same axes.

Whoever compares schedulers looks from one to the next. Each column shows its first valid run; all
that a run has stands in its own panel.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ipvsload.report.html import svg
from ipvsload.report.html.chart_series import Point
from ipvsload.report.html.charts import SMALL_BUCKETS, RunCurves, server_plot
from ipvsload.report.html.heat_map import FROM_SERVERS
from ipvsload.report.wording import figure, percent
from ipvsload.results.results import RunResult

Charted = tuple[RunResult, RunCurves]
Series = Callable[[RunCurves], dict[str, list[Point]]]


@dataclass(frozen=True, slots=True)
class SmallPlot:
    """One column's chart. `remark` says what is particular about its run."""

    label: str
    remark: str
    plot: svg.Plot


@dataclass(frozen=True, slots=True)
class SmallMultiples:
    """Charts of one kind, on one axis of time and one of values."""

    title: str
    note: str
    plots: Sequence[SmallPlot]


def server_multiples(
    charted: Sequence[Charted],
    colours: Mapping[int, str],
    x: svg.Axis,
    workers: int | None,
) -> list[SmallMultiples]:
    """Active connections, and of servers with a capacity utilisation and queues.

    With FROM_SERVERS servers or more, active connections are a heat map's, and the others show
    least, median and greatest. Without `workers` the mean number of busy ones is shown.
    """
    most = max((len(run.servers) for run, _ in charted), default=0)
    busy = _MultiplesKind("Busy workers", lambda c: c.busy_means)
    if workers:
        ticks = [(part * 100, percent(part)) for part in (0.0, 0.5, 1.0)]
        busy = _MultiplesKind("Utilisation", lambda c: _parts(c.busy_means, workers), full=ticks)
    kinds = [
        _MultiplesKind(
            "Active connections", lambda c: c.active, lambda c: c.predicted, of_table=True
        ),
        busy,
        _MultiplesKind("Queue length", lambda c: c.queued),
    ]
    drawn = kinds if most < FROM_SERVERS else kinds[1:]
    return [found for kind in drawn if (found := _multiples(kind, charted, colours, x)).plots]


@dataclass(frozen=True, slots=True)
class _MultiplesKind:
    """What charts of one kind show; with `full`, on an axis from 0 to 1 with these ticks."""

    title: str
    series: Series
    predicted: Callable[[RunCurves], Mapping[str, list[Point]]] = lambda _: {}
    of_table: bool = False
    full: list[tuple[float, str]] | None = None


def _parts(means: Mapping[str, list[Point]], workers: int) -> dict[str, list[Point]]:
    return {
        address: [(t, None if busy is None else min(1.0, busy / workers)) for t, busy in points]
        for address, points in means.items()
    }


def _multiples(
    kind: _MultiplesKind, charted: Sequence[Charted], colours: Mapping[int, str], x: svg.Axis
) -> SmallMultiples:
    found = [(run, curves, kind.series(curves), kind.predicted(curves)) for run, curves in charted]
    y = svg.Axis(0.0, 1.0)
    if not kind.full:
        y = svg.linear(_greatest(p for _, _, a, b in found for p in (*a.values(), *b.values())))
    plots = []
    for run, curves, points, predicted in found:
        if not points:
            continue
        plot = server_plot(
            kind.title, points, curves, x, y, [server.address for server in run.servers], colours,
            kind.of_table, predicted, buckets=SMALL_BUCKETS, single=FROM_SERVERS - 1,
        )  # fmt: skip
        plots.append(
            SmallPlot(run.label, _remark(run), replace(plot, y_ticks=kind.full or plot.y_ticks))
        )
    notes = dict.fromkeys(one.plot.note for one in plots if one.plot.note)
    return SmallMultiples(kind.title, "; ".join(notes), plots)


def _remark(run: RunResult) -> str:
    if not run.valid:
        return "does not count"
    return f"repeat {figure(run.repeat)}" if run.repeat > 1 else ""


def _greatest(curves: Iterable[Sequence[Point]]) -> float:
    return max((value for curve in curves for _, value in curve if value is not None), default=0.0)
