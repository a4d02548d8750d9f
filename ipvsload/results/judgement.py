"""What was expected of runs, and whether it held: from figures to verdicts.

Where the figures come from does not matter here: from a record, or from a simulation that kept
none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from ipvsload.results.asked_settings import asked_words
from ipvsload.results.comparison_plan import column_order, comparison_plan
from ipvsload.results.director import common_settings
from ipvsload.results.expected_comparisons import expected_comparison
from ipvsload.results.measured_columns import measured_columns
from ipvsload.results.pair_tests import pair_comparisons, pairs_of
from ipvsload.results.results import ExpectationResult, Results, RunResult, VerdictName
from ipvsload.results.summary import summarize
from ipvsload.scenario.comparison_expectation import ComparisonExpectation
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import (
    FinalCounts,
    Measure,
    OccupancyTotals,
    RecordTotals,
    RequestTotals,
    TableTotals,
)
from ipvsload.scenario.model import Scenario
from ipvsload.statistics.median_range import median_range


class RunMeasures:
    """The final measures that expectations name, looked up in one run's counts.

    A measure without data is None and never 0: "not measured" must not look
    like "none". `why` says why there are no data.

    `servers` are the addresses in the order of joining; a selector `server=1`
    is the first of them.
    """

    def __init__(
        self,
        requests: RequestTotals,
        table: TableTotals,
        by_server: Mapping[str, TableTotals],
        servers: Sequence[str],
        occupancy: Mapping[str | None, OccupancyTotals] = MappingProxyType({}),
        record: RecordTotals | None = None,
    ) -> None:
        self._counts = FinalCounts(requests, table, by_server, occupancy, record)
        self._servers = servers

    def __call__(self, measure: Measure) -> float | None:
        """The value, or None where there are no data."""
        final = MEASURES[measure.name].final
        if final is None or self._absent(measure):
            return None
        address = None if measure.server is None else self._servers[measure.server - 1]
        return final.value(self._counts, measure, address)

    def why(self, measure: Measure) -> str:
        """Why a measure has no value, for people."""
        if self._absent(measure):
            return f"no server {measure.server} joined"
        final = MEASURES[measure.name].final
        return final.why(self._counts, measure) if final else "it is known while the load runs"

    def _absent(self, measure: Measure) -> bool:
        return measure.server is not None and not 0 < measure.server <= len(self._servers)


def judged(
    scenario: Scenario | None,
    name: str,
    testbed: str,
    started_unix_us: int,
    measured: Sequence[tuple[RunResult, RunMeasures]],
    ends: tuple[str, ...] = (),
    columns: Sequence[str] = (),
) -> Results:
    """All results of runs that are measured; `ends` says where they end if not in order.

    `columns` are the labels of what was to be run, as people named them.
    """
    runs = tuple(run for run, _ in measured)
    common = common_settings(run.director for run in runs)
    asked_of = {
        variant.label: asked_words(variant) for variant in (scenario.schedulers if scenario else ())
    }
    labels = column_order((run.label for run in runs), columns or asked_of)
    plan = comparison_plan(scenario)
    compared = measured_columns(measured, labels, plan.measures)
    comparison = pair_comparisons(list(pairs_of(compared)), plan.margin)
    comparisons = tuple(
        expected_comparison(one, comparison, runs)
        if isinstance(one, ComparisonExpectation)
        else _compare(one, measured)
        for one in (scenario.expect.get("compare", ()) if scenario else ())
    )
    return Results(
        scenario=name,
        title=scenario.title if scenario else "",
        testbed=testbed,
        started_unix_us=started_unix_us,
        verdict=_verdict(runs, comparisons, ends),
        runs=runs,
        comparisons=comparisons,
        schedulers=tuple(
            summarize(
                label,
                [run for run in runs if run.label == label],
                common,
                asked_of.get(label, ()),
            )
            for label in labels
        ),
        ends=ends,
        settings=common,
        baseline=plan.baseline_among(labels),
        columns=compared,
        comparison=comparison,
    )


def _verdict(
    runs: Sequence[RunResult], comparisons: Sequence[ExpectationResult], ends: Sequence[str]
) -> VerdictName:
    if ends or not runs or not all(run.valid for run in runs):
        return "invalid"
    if any(run.verdict == "failed" for run in runs):
        return "failed"
    return held(comparisons)


def held(asked: Iterable[ExpectationResult]) -> VerdictName:
    """Whether all of these held; those that could not be asked do not count."""
    return "failed" if any(e.held is False for e in asked) else "held"


def expectations_of(
    label: str, scenario: Scenario | None, measures: RunMeasures, *, ended_early: bool = False
) -> tuple[ExpectationResult, ...]:
    """What is expected of each run of this label; of one that ended early nothing is asked."""
    expected = [
        condition
        for key, conditions in (scenario.conditions if scenario else {}).items()
        if key in ("all", label)
        for condition in conditions
    ]
    return tuple(
        _not_asked(c) if ended_early else _expect(c, measures, measures.why) for c in expected
    )


def _not_asked(condition: Condition) -> ExpectationResult:
    return ExpectationResult(str(condition), None, None, "the run ended early")


def _expect(
    condition: Condition, lookup: Callable[[Measure], float | None], why: Callable[[Measure], str]
) -> ExpectationResult:
    """One expectation. Without the data to decide it did not hold, and the reason says so."""
    missing: list[str] = []

    def noting(measure: Measure) -> float | None:
        value = lookup(measure)
        if value is None:
            missing.append(why(measure))
        return value

    verdict = condition.evaluate(noting)
    held = verdict.held is True
    reason = "; ".join(dict.fromkeys(missing)) if missing and not held else None
    return ExpectationResult(str(condition), verdict.measured, held, reason)


def _compare(
    condition: Condition, measured: Sequence[tuple[RunResult, RunMeasures]]
) -> ExpectationResult:
    """An expectation over schedulers: each measure is the median of that one's repeats.

    If a scheduler was not run (`--scheduler` chose others), or a run of it ended early,
    `held` is None.
    """
    absent: list[str] = []

    def chosen(measure: Measure) -> list[RunMeasures]:
        pairs = [one for one in measured if measure.scheduler in (None, one[0].label)]
        return [m for run, m in pairs if run.valid] or [m for _, m in pairs]

    def stopped(measure: Measure) -> bool:
        return any(run.ended_early for run, _ in measured if run.label == measure.scheduler)

    def lookup(measure: Measure) -> float | None:
        found = chosen(measure)
        if not found:
            absent.append(f"{measure.scheduler} was not run")
        elif stopped(measure):
            absent.append(f"a run of {measure.scheduler} ended early")
        over = median_range([m(measure) for m in found])
        return over.median if over else None

    def why(measure: Measure) -> str:
        found = chosen(measure)
        return f"{measure.scheduler}: {found[0].why(measure)}" if found else absent[-1]

    result = _expect(condition, lookup, why)
    if absent:
        return ExpectationResult(result.expression, None, None, "; ".join(dict.fromkeys(absent)))
    return result
