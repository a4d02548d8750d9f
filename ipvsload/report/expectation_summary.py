"""Each expectation over the repeats of its scheduler, as every report shows it."""

from dataclasses import dataclass

from ipvsload.results.results import ExpectationResult, Results
from ipvsload.statistics.median_range import MedianRange, median_range


@dataclass(frozen=True, slots=True)
class ExpectationSummary:
    """One expectation over the repeats of a scheduler.

    `label` is the scheduler's, "" for a comparison of schedulers. `asked` counts the runs in
    which the expectation could be evaluated, `held` those in which it held.
    """

    label: str
    expression: str
    measured: MedianRange | None
    held: int
    asked: int
    reason: str | None

    @property
    def ok(self) -> bool | None:
        """Whether it held in each run. None where no run could evaluate it."""
        return self.held == self.asked if self.asked else None


def summarize_expectations(results: Results) -> list[ExpectationSummary]:
    """Take the repeats of each expectation together. Comparisons of schedulers come last."""
    groups: dict[tuple[str, str], list[ExpectationResult]] = {}
    for run in results.runs:
        for expectation in run.expectations:
            groups.setdefault((run.label, expectation.expression), []).append(expectation)
    for expectation in results.comparisons:
        groups.setdefault(("", expectation.expression), []).append(expectation)
    columns = (column.label for column in results.schedulers)
    order = [*dict.fromkeys((*columns, *(run.label for run in results.runs))), ""]
    return [
        ExpectationSummary(
            label=label,
            expression=expression,
            measured=median_range([e.measured for e in found]),
            held=sum(e.held is True for e in found),
            asked=sum(e.held is not None for e in found),
            reason=next((e.reason for e in found if e.reason), None),
        )
        for (label, expression), found in sorted(
            groups.items(), key=lambda group: order.index(group[0][0])
        )
    ]
