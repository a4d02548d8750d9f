"""Measures of how late the arrivals of an open class were sent, in ms: the generator's doing."""

from ipvsload.scenario.measures.base import Measure, MeasureKind, RecordTotals
from ipvsload.scenario.measures.record_totals import of_record

LATENESS = ("p50", "p99", "max")


def _row(which: str) -> MeasureKind:
    def figure(record: RecordTotals, measure: Measure, _: str | None) -> float | None:
        return record.lateness_ms.get(measure.class_ or "", {}).get(which)

    final = of_record(figure, _why, selectors=("class",), needs=("class",))
    return MeasureKind(f"lateness_{which}", "ms", final=final, better="less")


def _why(_record: RecordTotals, measure: Measure) -> str:
    return f"no arrival of {measure.class_} was planned: only a class with a rate can be late"


MEASURES = tuple(map(_row, LATENESS))
