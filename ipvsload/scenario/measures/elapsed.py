"""Measures of time."""

from ipvsload.scenario.bounds import Bound
from ipvsload.scenario.measures.base import Live, Measure, MeasureKind
from ipvsload.scenario.planned_state import PlannedState


def _elapsed(planned: PlannedState, measure: Measure) -> Bound:
    return Bound(planned.elapsed, "the waits up to here end by their deadlines")


MEASURES = (
    MeasureKind("elapsed", "s", Live((), lambda now, _: now.elapsed, _elapsed, polled=True)),
)
