"""Measures of time."""

from ipvsload.scenario.bounds import Bound, Interval
from ipvsload.scenario.measures.base import Live, Measure, MeasureKind
from ipvsload.scenario.planned_state import PlannedState


def _elapsed(planned: PlannedState, measure: Measure) -> Bound:
    why = "the waits up to here end by their deadlines"
    return Bound(Interval(planned.elapsed_low, planned.elapsed_high), why)


MEASURES = (
    MeasureKind("elapsed", "s", Live((), lambda now, _: now.elapsed, _elapsed, polled=True)),
)
