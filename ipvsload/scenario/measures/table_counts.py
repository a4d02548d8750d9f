"""Measures of the kernel's table: connections, weights and servers."""

from operator import attrgetter

from ipvsload.scenario.bounds import Bound
from ipvsload.scenario.measures.base import (
    Bounds,
    Final,
    FinalCounts,
    Live,
    LiveCounts,
    Measure,
    MeasureKind,
    at_most,
)
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.words import counted


def _now(field: str, bound: Bounds, gone: float | None = None) -> Live:
    """A field of the table's rows; `gone` for a server that has left the table."""
    get = attrgetter(field)

    def value(now: LiveCounts, measure: Measure) -> float | None:
        if now.table is None:
            return None
        if measure.server is None:
            return float(sum(map(get, now.table.values())))
        if measure.server > len(now.servers):
            return None
        row = now.table.get(now.servers[measure.server - 1])
        return gone if row is None else float(get(row))

    return Live(("server",), value, bound)


def _whole_run(field: str) -> Final:
    """A field of what the kernel counted over the run."""
    get = attrgetter(field)

    def value(run: FinalCounts, measure: Measure, address: str | None) -> float | None:
        counts = run.table if address is None else run.by_server.get(address)
        return None if counts is None else get(counts)

    def why(run: FinalCounts, measure: Measure) -> str:
        return "there are no samples of the kernel's table"

    return Final(("server",), value, why)


def _count(now: LiveCounts, measure: Measure) -> float | None:
    return None if now.table is None else float(len(now.table))


def _weight(planned: PlannedState, measure: Measure) -> Bound:
    chosen = planned.weights if measure.server is None else [measure.server]
    total = sum(planned.weights[server] for server in chosen)
    return Bound.exactly(total, "the timeline sets no other weight before")


def _servers(planned: PlannedState, measure: Measure) -> Bound:
    count = len(planned.weights)
    return Bound.exactly(count, f"the table has {counted(count, 'server')} by then")


MEASURES = (
    MeasureKind(
        "active", "number", _now("active", at_most("concurrency"), gone=0.0), source="table"
    ),
    MeasureKind(
        "inactive", "number", _now("inactive", at_most("budget"), gone=0.0), source="table"
    ),
    MeasureKind(
        "conns",
        "number",
        _now("conns", at_most("budget")),
        _whole_run("connections"),
        source="table",
    ),
    MeasureKind("weight", "number", _now("weight", _weight), source="table"),
    MeasureKind("servers", "number", Live((), _count, _servers), source="table"),
    MeasureKind("active_max", "number", final=_whole_run("active_max"), source="table"),
    MeasureKind("inactive_max", "number", final=_whole_run("inactive_max"), source="table"),
)
