"""What only a record of single connections and samples says of a run, and its measures' form."""

from collections.abc import Callable

from ipvsload.scenario.measures.base import Final, FinalCounts, Measure, RecordTotals, Selector

NO_RECORD = "no record of single connections and samples was kept (--summary)"

Why = Callable[[RecordTotals, Measure], str]


def of_record(
    figure: Callable[[RecordTotals, Measure, str | None], float | None],
    why: str | Why,
    selectors: tuple[Selector, ...] = (),
    needs: tuple[Selector, ...] = (),
) -> Final:
    """A figure of a run's record, of a measure and its server's address.

    `why` says why there is none, where there is a record.
    """

    def value(run: FinalCounts, measure: Measure, address: str | None) -> float | None:
        return None if run.record is None else figure(run.record, measure, address)

    def reason(run: FinalCounts, measure: Measure) -> str:
        if run.record is None:
            return NO_RECORD
        return why if isinstance(why, str) else why(run.record, measure)

    return Final(selectors, value, reason, needs)
