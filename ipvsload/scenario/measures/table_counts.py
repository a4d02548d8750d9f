"""Measures of the kernel's table: connections, weights and servers."""

from collections.abc import Callable
from operator import attrgetter

from ipvsload.scenario.bounds import Bound
from ipvsload.scenario.measures.base import (
    Final,
    FinalCounts,
    Live,
    LiveCounts,
    Measure,
    MeasureKind,
    TableTotals,
    at_most_sent,
)
from ipvsload.scenario.planned_state import Limit, PlannedState
from ipvsload.scenario.words import counted


def _seen(field: str, gone: float | None) -> Callable[[LiveCounts, Measure], float | None]:
    """A field of the table's rows now; `gone` for a server that has left the table."""
    get: Callable[[object], int] = attrgetter(field)

    def value(now: LiveCounts, measure: Measure) -> float | None:
        if now.table is None:
            return None
        if measure.server is None:
            return float(sum(map(get, now.table.values())))
        if measure.server > len(now.servers):
            return None
        row = now.table.get(now.servers[measure.server - 1])
        return gone if row is None else float(get(row))

    return value


def _at_most(limit: Limit) -> Callable[[PlannedState, Measure], Bound]:
    return lambda planned, measure: planned.at_most(limit, None)


def _weight(planned: PlannedState, measure: Measure) -> Bound:
    chosen = planned.weights if measure.server is None else [measure.server]
    total = sum(planned.weights[server] for server in chosen)
    return Bound.exactly(total, "the timeline sets no other weight before")


def _servers(planned: PlannedState, measure: Measure) -> Bound:
    count = len(planned.weights)
    return Bound.exactly(count, f"the table has {counted(count, 'server')} by then")


def _total(field: str) -> Callable[[FinalCounts, Measure, str | None], float | None]:
    """A field of what the kernel counted over the run."""
    get: Callable[[TableTotals], int | None] = attrgetter(field)

    def value(run: FinalCounts, measure: Measure, address: str | None) -> float | None:
        counts = run.table if address is None else run.by_server.get(address)
        return None if counts is None else get(counts)

    return value


def _no_samples(run: FinalCounts, measure: Measure) -> str:
    return "there are no samples of the kernel's table"


MEASURES = (
    MeasureKind(
        "active",
        "number",
        "active connections in the kernel's table now",
        live=Live(("server",), _seen("active", gone=0.0), _at_most("concurrency")),
    ),
    MeasureKind(
        "inactive",
        "number",
        "inactive connections in the kernel's table now",
        live=Live(("server",), _seen("inactive", gone=0.0), _at_most("budget")),
    ),
    MeasureKind(
        "conns",
        "number",
        "connections that the kernel has scheduled since the run began",
        live=Live(("server",), _seen("conns", gone=None), _at_most("budget")),
        final=Final(("server",), _total("connections"), _no_samples, bound=at_most_sent),
    ),
    MeasureKind(
        "weight",
        "number",
        "weight in the kernel's table now",
        live=Live(("server",), _seen("weight", gone=None), _weight),
    ),
    MeasureKind(
        "servers",
        "number",
        "real servers in the kernel's table now",
        live=Live(
            (), lambda now, _: None if now.table is None else float(len(now.table)), _servers
        ),
    ),
    MeasureKind(
        "active_max",
        "number",
        "greatest number of active connections in any sample",
        final=Final(("server",), _total("active_max"), _no_samples),
    ),
    MeasureKind(
        "inactive_max",
        "number",
        "greatest number of inactive connections in any sample",
        final=Final(("server",), _total("inactive_max"), _no_samples),
    ),
)
