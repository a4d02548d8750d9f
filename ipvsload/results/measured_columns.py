"""Each measure under test of each column, over the runs that count."""

import statistics
from collections.abc import Callable, Iterator, Sequence

from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.results import RunResult
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import Measure
from ipvsload.statistics.block_warnings import block_warnings
from ipvsload.statistics.median_interval import median_interval

Lookup = Callable[[Measure], float | None]


def measured_columns(
    measured: Sequence[tuple[RunResult, Lookup]],
    labels: Sequence[str],
    measures: Sequence[Measure],
) -> tuple[MeasuredColumn, ...]:
    """One for each measure and label, those of a measure together."""
    of_label: dict[str, list[tuple[RunResult, Lookup]]] = {label: [] for label in labels}
    for run, lookup in measured:
        of_label[run.label].append((run, lookup))
    return tuple(
        _column(label, measure, of_label[label]) for measure in measures for label in labels
    )


def _column(
    label: str, measure: Measure, measured: Sequence[tuple[RunResult, Lookup]]
) -> MeasuredColumn:
    kind = MEASURES[measure.name]
    found = {
        run.repeat: value
        for run, lookup in measured
        if run.valid and not run.ended_early and (value := lookup(measure)) is not None
    }
    blocks = tuple(sorted(found.items()))
    values = [value for _, value in blocks]
    return MeasuredColumn(
        label=label,
        measure=str(measure),
        unit=kind.unit,
        better=kind.better,
        blocks=blocks,
        median=statistics.median(values) if values else None,
        ci95=median_interval(values),
        warnings=(
            *_left_out([run for run, _ in measured], len(values)),
            *(block_warnings(values, [block for block, _ in blocks], "runs") if values else ()),
        ),
    )


def _left_out(runs: Sequence[RunResult], counted: int) -> Iterator[str]:
    """How many runs say nothing here, and why."""
    invalid = sum(not run.valid for run in runs)
    early = sum(run.valid and run.ended_early is not None for run in runs)
    without = len(runs) - counted - invalid - early
    reasons = ((invalid, "not valid"), (early, "ended early"), (without, "without a value"))
    for many, why in reasons:
        if many:
            yield f"left out, since {why}: {many} of {len(runs)} runs"
