"""The figures of schedulers side by side, as rows of text.

The terminal, summary.md and report.html show the same rows, so they are made
once, here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ipvsload.report.wording import DASH, figure, milliseconds, over, percent
from ipvsload.results.results import RunResult, SchedulerSummary, ServerSummary
from ipvsload.statistics.median_range import MedianRange, median_range

SHOWN_SERVERS = 6
"""Where there are more servers, the last rows are the range over those that are not shown."""


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One row. A row without cells begins a server or a class."""

    label: str
    cells: tuple[str, ...] = ()
    remark: str = ""


def column_header(summary: SchedulerSummary) -> str:
    """Name the scheduler, and say how many runs the figures come from."""
    if summary.valid < summary.repeats:
        return f"{summary.scheduler} ({summary.valid} of {summary.repeats} valid)"
    if summary.repeats > 1:
        return f"{summary.scheduler} (median of {summary.repeats})"
    return summary.scheduler


def agreed_addresses(runs: Iterable[RunResult]) -> dict[int, str]:
    """Servers' addresses by number. A server that had different ones in two runs has none here."""
    found: dict[int, set[str]] = {}
    for run in runs:
        for number, server in enumerate(run.servers, 1):
            found.setdefault(number, set()).add(server.address)
    return {number: known.pop() for number, known in found.items() if len(known) == 1}


def figure_rows(columns: Sequence[SchedulerSummary], known: dict[int, str]) -> list[FigureRow]:
    """The rows of all servers, then of all classes, with one cell for each column.

    `known` has the servers' addresses by number.
    """
    classes = list(dict.fromkeys(name for column in columns for name in column.traffic))
    return [*_servers(columns, known, classes), *_traffic(columns, classes)]


def _servers(
    columns: Sequence[SchedulerSummary], known: dict[int, str], classes: Sequence[str]
) -> list[FigureRow]:
    most = max((len(column.servers) for column in columns), default=0)
    shown = most if most <= SHOWN_SERVERS else SHOWN_SERVERS - 1
    rows = []
    for number in range(1, shown + 1):
        servers = [c.servers[number - 1] if number <= len(c.servers) else None for c in columns]
        rows.append(FigureRow(f"server {number}", remark=known.get(number, "")))
        rows.append(_row("connections", (over(s.connections if s else None) for s in servers)))
        rows += [_row(f"{n} requests", (_requests(s, n) for s in servers)) for n in classes]
        rows.append(_row("active at most", (over(s.active_max if s else None) for s in servers)))
    if shown < most:
        rows.append(FigureRow(f"{most - shown} more servers", remark="least to most of them"))
        rest = [column.servers[shown:] for column in columns]
        rows.append(_row("connections", (_range(s.connections for s in c) for c in rest)))
        rows += [
            _row(f"{n} requests", (_range(s.requests.get(n) for s in c) for c in rest))
            for n in classes
        ]
        rows.append(_row("active at most", (_range(s.active_max for s in c) for c in rest)))
    return rows


def _traffic(columns: Sequence[SchedulerSummary], classes: Sequence[str]) -> list[FigureRow]:
    rows = []
    for name in classes:
        found = [column.traffic.get(name) for column in columns]
        rows.append(FigureRow(name))
        rows.append(_row("requests", (over(t.requests if t else None) for t in found)))
        if any(t and t.failures and t.failures.max for t in found):
            rows.append(_row("failures", (over(t.failures if t else None) for t in found)))
        rows.append(_row("requests/s", (over(t.rps if t else None) for t in found)))
        rows += [
            _row(
                f"latency {p}", (over(t.latency_ms[p] if t else None, milliseconds) for t in found)
            )
            for p in ("p50", "p95", "p99")
        ]
    return rows


def _row(label: str, cells: Iterable[str]) -> FigureRow:
    return FigureRow(label, tuple(cells))


def _requests(server: ServerSummary | None, name: str) -> str:
    """A count, and what part of the class it is: "50 (50 %)"."""
    if server is None:
        return DASH
    share = server.share.get(name)
    part = f" ({percent(share.median)})" if share else ""
    return over(server.requests.get(name)) + part


def _range(medians: Iterable[MedianRange | None]) -> str:
    found = median_range([median.median if median else None for median in medians])
    return f"{figure(found.min)} to {figure(found.max)}" if found else DASH
