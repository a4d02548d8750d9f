"""Measures of the time that answered requests waited at their server for a worker, in ms."""

from ipvsload.scenario.measures.base import FinalCounts, Measure, MeasureKind, RequestTotals
from ipvsload.scenario.measures.traffic_counts import of_requests
from ipvsload.statistics.percentiles import percentile

_PERCENTILES = (50, 95, 99)


def _row(p: int) -> MeasureKind:
    def figure(seen: RequestTotals, traffic: str | None, server: str | None) -> float | None:
        ordered = seen.queue_times(traffic, server)
        return percentile(ordered, p) / 1000 if ordered else None

    final = of_requests(figure)._replace(why=_why)
    return MeasureKind(f"queue_p{p}", "ms", final=final, better="less", source="servers")


def _why(run: FinalCounts, measure: Measure) -> str:
    which = f"{measure.class_} requests" if measure.class_ else "requests"
    return f"no server said how long {which} waited there"


MEASURES = tuple(map(_row, _PERCENTILES))
