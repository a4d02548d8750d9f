"""The one table of all measures: a new one is a row in the file of its family."""

from ipvsload.scenario.measures import (
    elapsed,
    latency,
    occupancy,
    queue_time,
    table_counts,
    traffic_counts,
)
from ipvsload.scenario.measures.base import Measure, MeasureKind

_OF_TABLE = frozenset(row.name for row in table_counts.MEASURES)
_OF_CAPACITY = frozenset(row.name for row in (*occupancy.MEASURES, *queue_time.MEASURES))

MEASURES: dict[str, MeasureKind] = {
    row.name: row
    for family in (table_counts, occupancy, traffic_counts, latency, queue_time, elapsed)
    for row in family.MEASURES
}


def needs_table(measure: Measure) -> bool:
    """Whether only who reads the kernel's table knows it; servers get their numbers there."""
    return measure.name in _OF_TABLE or measure.server is not None


def needs_capacity(measure: Measure) -> bool:
    """Whether only servers with a capacity say it."""
    return measure.name in _OF_CAPACITY
