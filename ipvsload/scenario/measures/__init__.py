"""The one table of all measures: a new one is a row in the file of its family."""

from ipvsload.scenario.measures import elapsed, latency, table_counts, traffic_counts
from ipvsload.scenario.measures.base import MeasureKind

MEASURES: dict[str, MeasureKind] = {
    row.name: row
    for family in (table_counts, traffic_counts, latency, elapsed)
    for row in family.MEASURES
}
