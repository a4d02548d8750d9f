"""Measures of what servers with a capacity say of themselves: busy workers and waiting requests.

Without `server` they are of all servers together, at one instant.
"""

import math
from collections.abc import Callable
from operator import attrgetter

from ipvsload.scenario.bounds import Bound, Interval
from ipvsload.scenario.measures.base import (
    Final,
    FinalCounts,
    Live,
    LiveCounts,
    Measure,
    MeasureKind,
)
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.words import counted


def _now(field: str, room: Callable[[PlannedState], tuple[float, str]]) -> Live:
    """A field of what the servers said last; `room` is how much of it a server can have."""
    get = attrgetter(field)

    def value(now: LiveCounts, measure: Measure) -> float | None:
        if now.occupancy is None:
            return None
        joined = now.servers
        if measure.server is not None:
            joined = joined[measure.server - 1 : measure.server]
        told = [now.occupancy[address] for address in joined if address in now.occupancy]
        return float(sum(map(get, told))) if told else None

    def bound(planned: PlannedState, measure: Measure) -> Bound:
        each, words = room(planned)
        most = planned.at_most("concurrency", None)
        servers = planned.joined if measure.server is None else 1
        if each * servers >= most.interval.high:
            return most
        return Bound(Interval(0, each * servers), f"each server has {words}")

    return Live(("server",), value, bound)


def _workers(planned: PlannedState) -> tuple[float, str]:
    workers = planned.capacity.workers if planned.capacity else 0
    return workers, counted(workers, "worker")


def _places(planned: PlannedState) -> tuple[float, str]:
    places = planned.capacity.queue if planned.capacity else 0
    return math.inf if places is None else places, f"a queue of {places}"


def _whole_run(field: str) -> Final:
    """A figure of what the servers said over the run."""
    get = attrgetter(field)

    def value(run: FinalCounts, measure: Measure, address: str | None) -> float | None:
        figures = run.occupancy.get(address)
        return None if figures is None else get(figures)

    def why(run: FinalCounts, measure: Measure) -> str:
        if measure.server is None:
            return "no server said how busy it is"
        return f"server {measure.server} did not say how busy it is"

    return Final(("server",), value, why)


MEASURES = (
    MeasureKind("busy", "number", _now("busy", _workers), source="servers"),
    MeasureKind("queue", "number", _now("queued", _places), source="servers"),
    MeasureKind("busy_max", "number", final=_whole_run("busy_max"), source="servers"),
    MeasureKind(
        "queue_max", "number", final=_whole_run("queue_max"), better="less", source="servers"
    ),
    MeasureKind("utilisation", "fraction", final=_whole_run("utilisation"), source="servers"),
)
