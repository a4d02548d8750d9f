"""Measures of what a change of the servers does: how long it takes, and what is lost by it."""

from ipvsload.scenario.measures.base import Measure, MeasureKind, RecordTotals
from ipvsload.scenario.measures.record_totals import of_record


def _of(measure: Measure) -> str:
    return "a server" if measure.server is None else f"server {measure.server}"


def _no_change(_record: RecordTotals, measure: Measure) -> str:
    return f"no step of the timeline changed {_of(measure)}'s row in a way that a sample shows"


def _no_request(_record: RecordTotals, measure: Measure) -> str:
    return f"{_of(measure)} did not join or return, or served no request after it"


def _no_balance(record: RecordTotals, measure: Measure) -> str:
    return record.why_no_balance(measure.server)


def _nobody_left(_record: RecordTotals, measure: Measure) -> str:
    if measure.server is None:
        return "no server was removed, killed or drained, or not all failed requests' are known"
    return f"server {measure.server} was not removed, killed or drained, or who failed is not known"


MEASURES = (
    MeasureKind(
        "table_delay",
        "s",
        final=of_record(
            lambda record, measure, _: record.table_delay(measure.server),
            _no_change,
            selectors=("server",),
        ),
        better="less",
        source="table",
    ),
    MeasureKind(
        "first_request_delay",
        "s",
        final=of_record(
            lambda record, measure, _: record.first_request_delay(measure.server),
            _no_request,
            selectors=("server",),
        ),
        better="less",
        source="table",
    ),
    MeasureKind(
        "balance_time",
        "s",
        final=of_record(
            lambda record, measure, _: record.balance_time(measure.server),
            _no_balance,
            selectors=("server",),
        ),
        better="less",
        source="table",
    ),
    MeasureKind(
        "lost",
        "number",
        final=of_record(
            lambda record, measure, address: record.lost(measure.class_, address),
            _nobody_left,
            selectors=("class", "server"),
        ),
        better="less",
        source="table",
    ),
)
