"""Measures of how evenly a scheduler spreads: by weight, by active connections, by utilisation."""

from ipvsload.scenario.measures.base import MeasureKind
from ipvsload.scenario.measures.record_totals import of_record

_NOTHING_ACTIVE = "no sample of the kernel's table saw two servers and an active connection"
_NOBODY_BUSY = "no two servers said how busy they were while any was"
_NO_CONNECTIONS = "no new connections, or the server or the weights at some are not known"

MEASURES = (
    MeasureKind(
        "weight_departure",
        "fraction",
        final=of_record(
            lambda record, measure, address: record.weight_departure(measure.class_, address),
            _NO_CONNECTIONS,
            selectors=("class", "server"),
        ),
        better="less",
        source="table",
    ),
    MeasureKind(
        "active_jain",
        "number",
        final=of_record(lambda r, *_: r.active.jain if r.active else None, _NOTHING_ACTIVE),
        better="greater",
        source="table",
    ),
    MeasureKind(
        "active_peak",
        "number",
        final=of_record(lambda r, *_: r.active.peak if r.active else None, _NOTHING_ACTIVE),
        better="less",
        source="table",
    ),
    MeasureKind(
        "utilisation_jain",
        "number",
        final=of_record(lambda r, *_: r.utilisation.jain if r.utilisation else None, _NOBODY_BUSY),
        better="greater",
        source="servers",
    ),
    MeasureKind(
        "utilisation_peak",
        "number",
        final=of_record(lambda r, *_: r.utilisation.peak if r.utilisation else None, _NOBODY_BUSY),
        better="less",
        source="servers",
    ),
)
