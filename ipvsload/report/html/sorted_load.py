"""The sorted-load curve: each server's share of all connections, by its rank.

With more than a hundred servers nobody reads them one by one. What a scheduler does to them is
how far the busiest and the idlest lie from an even share.
"""

import statistics
from collections.abc import Mapping, Sequence

from ipvsload.report.html import svg
from ipvsload.report.html.column_chart import ColumnChart, ColumnCurve, column_lines
from ipvsload.report.html.column_styles import ColumnStyle
from ipvsload.report.wording import DASH, figure
from ipvsload.results.results import RunResult

FROM_SERVERS = 101
MOST_POINTS = 120
_RANKS = (("busiest", 0.0), ("10 %", 0.1), ("median", 0.5), ("90 %", 0.9), ("idlest", 1.0))


def sorted_loads(runs: Sequence[RunResult]) -> dict[str, list[float]]:
    """By column the shares of all connections, 0 to 1, the greatest first: medians over its runs.

    A run whose connections are not known does not count, nor does one that has none.
    """
    found: dict[str, list[list[float]]] = {}
    for run in runs:
        counts = [server.connections for server in run.servers]
        known = sorted((count for count in counts if count is not None), reverse=True)
        if len(known) == len(counts) and (total := sum(known)):
            found.setdefault(run.label, []).append([count / total for count in known])
    return {
        label: [statistics.median(ranks) for ranks in zip(*shares, strict=False)]
        for label, shares in found.items()
    }


def sorted_load_chart(
    loads: Mapping[str, Sequence[float]], styles: Mapping[str, ColumnStyle]
) -> ColumnChart:
    """The chart of `sorted_loads`; there is at least one column."""
    most = max(len(shares) for shares in loads.values())
    x = svg.Axis(1.0, float(max(most, 2)))
    y = svg.linear(max(shares[0] for shares in loads.values()))
    curves = [ColumnCurve(label, _points(shares)) for label, shares in loads.items()]
    lines, height = column_lines(curves, styles, x, y)
    spoken = ", ".join(
        f"{label} {_share(shares[0])} to {_share(shares[-1])}" for label, shares in loads.items()
    )
    ranks = svg.Axis(0.0, float(most)).ticks()[1:]
    return ColumnChart(
        title="Connections by rank",
        unit="share of all, the busiest server first",
        lines=lines,
        x_ticks=[(round(x.place(rank) * 100, 2), figure(rank)) for rank in (1.0, *ranks)],
        y_ticks=svg.labels(y, _share),
        height=height,
        alternative=f"Shares of all connections, the busiest server's and the idlest's: {spoken}",
        headers=[f"{name} server" if at in (0, 1) else name for name, at in _RANKS],
        rows=[[label, *(_at(shares, at) for _, at in _RANKS)] for label, shares in loads.items()],
        even=round(y.place(1 / most) * 100, 2),
    )


def _points(shares: Sequence[float]) -> list[tuple[float, float]]:
    """Ranks and shares; of many the ends of each level and some between them."""
    every = -(-len(shares) // MOST_POINTS)
    last = len(shares) - 1
    return [
        (rank + 1.0, share)
        for rank, share in enumerate(shares)
        if rank in (0, last) or rank % every == 0
    ]


def _at(shares: Sequence[float], part: float) -> str:
    return _share(shares[round(part * (len(shares) - 1))]) if shares else DASH


def _share(part: float) -> str:
    """A share in percent; of many servers each has little, so it is not rounded to whole ones."""
    return f"{figure(part * 100)} %"
