"""From a recording to its results: counts, expectations, validity, verdict.

Results are always made from the files, also right after a run. So the verdict
of a run and that of its report a year later are the same computation.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from ipvsload.record.events import RunEnded, ServerJoined
from ipvsload.record.failures import in_order
from ipvsload.record.reader import RecordedRun, Recording
from ipvsload.results import kernel_counts, validity
from ipvsload.results.arrivals import ArrivalsResult, arrivals_results
from ipvsload.results.asked_settings import asked_variant, asked_words, unlike_asked
from ipvsload.results.director import common_settings, director_result
from ipvsload.results.director_splits import director_splits
from ipvsload.results.early_end import early_end
from ipvsload.results.explanations import explanations
from ipvsload.results.explanations.evidence import RunEvidence
from ipvsload.results.kernel_counts import KernelCounts
from ipvsload.results.occupancy_counts import OccupancyFigures, occupancy_figures
from ipvsload.results.predicted_run import PredictedRun, predicted_run
from ipvsload.results.queue_times import latency_parts_ms, queue_ms
from ipvsload.results.refusals import refused_by
from ipvsload.results.request_counts import RequestCounts
from ipvsload.results.results import (
    ExpectationResult,
    Results,
    RunResult,
    ServerResult,
    TrafficResult,
    VerdictName,
)
from ipvsload.results.sampling import active_span, sampling_notes, sampling_result
from ipvsload.results.summary import summarize
from ipvsload.results.witness_result import witness_notes, witness_result
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import FinalCounts, Measure
from ipvsload.scenario.measures.latency import LATENCIES, latency_ms
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
        requests: RequestCounts,
        kernel: KernelCounts,
        servers: Sequence[str],
        occupancy: Mapping[str | None, OccupancyFigures] = MappingProxyType({}),
    ) -> None:
        self._counts = FinalCounts(requests, kernel, kernel.servers, occupancy)
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


def evaluate(recording: Recording, scenario: Scenario | None) -> Results:
    """All results of a recording.

    Without a scenario (its copy is lost) nothing can be expected, and the
    verdict is "invalid".
    """
    ends = recording.ends
    if scenario is None:
        ends = (*ends, "scenario.yaml is missing or not valid: its expectations are unknown")
    measured = [_run(recording, recorded, scenario) for recorded in recording.runs]
    runs = tuple(run for run, _ in measured)
    asked = scenario.expect.get("compare", ()) if scenario is not None else ()
    common = common_settings(run.director for run in runs)
    comparisons = tuple(_compare(condition, measured) for condition in asked)
    asked_of = {
        variant.label: asked_words(variant) for variant in (scenario.schedulers if scenario else ())
    }
    return Results(
        scenario=recording.header.scenario or (scenario.name if scenario else ""),
        title=scenario.title if scenario else "",
        testbed=recording.header.testbed,
        started_unix_us=recording.header.origin_unix_us,
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
            for label in dict.fromkeys(run.label for run in runs)
        ),
        ends=ends,
        settings=common,
    )


def _verdict(
    runs: Sequence[RunResult], comparisons: Sequence[ExpectationResult], ends: Sequence[str]
) -> VerdictName:
    if ends or not runs or not all(run.valid for run in runs):
        return "invalid"
    if any(run.verdict == "failed" for run in runs):
        return "failed"
    return _held(comparisons)


def _held(asked: Iterable[ExpectationResult]) -> VerdictName:
    return "failed" if any(e.held is False for e in asked) else "held"


def _not_asked(condition: Condition) -> ExpectationResult:
    return ExpectationResult(str(condition), None, None, "the run ended early")


def _run(
    recording: Recording, run: RecordedRun, scenario: Scenario | None
) -> tuple[RunResult, RunMeasures]:
    requests = RequestCounts(run.requests)
    kernel = kernel_counts.count(run.samples, run.baseline)
    joined = {event.server: event.weight for event in run.of_type(ServerJoined)}
    for address, counts in kernel.servers.items():
        joined.setdefault(address, counts.weights[0])
        if not counts.present:
            # The last sample may show a counter of up to two seconds before it left.
            counts.connections = max(counts.connections, requests.opened[address])
    classes = list(scenario.traffic) if scenario else []
    classes += sorted({r.traffic for r in run.requests} - set(classes))
    sampling = sampling_result(run, requests.last_us)
    director = director_result(run)
    opened = arrivals_results(run, scenario)
    reasons = (
        *validity.reasons(run, scenario, requests, kernel),
        *(fault for one in opened.values() for fault in one.faults),
        *unlike_asked(run, asked_variant(run, scenario), director),
    )
    refusals = refused_by(run.requests, run.samples)
    occupancy = _occupancy(run, joined, requests.last_us, scenario)
    measures = RunMeasures(requests, kernel, list(joined), occupancy)
    expected = [
        condition
        for key, conditions in (scenario.expect if scenario else {}).items()
        if key in ("all", run.label)
        for condition in conditions
    ]
    early = early_end(run)
    expectations = tuple(
        _not_asked(c) if early else _expect(c, measures, measures.why) for c in expected
    )
    ends = run.of_type(RunEnded)
    model = predicted_run(recording, run, scenario)
    result = RunResult(
        number=run.number,
        scheduler=run.scheduler,
        label=run.label,
        repeat=run.repeat,
        valid=not reasons,
        reasons=reasons,
        notes=(
            *validity.notes(run, requests, refusals),
            *sampling_notes(sampling),
            *witness_notes(run),
            *(note for one in opened.values() for note in one.notes),
            *explanations(RunEvidence(run, requests, kernel, director, refusals)),
            *((model.note,) if model.note else ()),
        ),
        kernel=run.kernel,
        servers=tuple(
            _server(address, weight, kernel, requests, classes, occupancy.get(address), model)
            for address, weight in joined.items()
        ),
        traffic={
            name: _traffic(name, requests, refusals.get(name, {}), opened.get(name))
            for name in classes
        },
        expectations=expectations,
        seconds=ends[-1].seconds if ends else {},
        director=director,
        directors=director_splits(run, joined),
        sampling=sampling,
        verdict="invalid" if reasons else "failed" if early else _held(expectations),
        ended_early=early,
        prediction=model.prediction,
        witness=witness_result(run),
    )
    return result, measures


def _server(
    address: str,
    weight: int,
    kernel: KernelCounts,
    requests: RequestCounts,
    classes: Iterable[str],
    occupancy: OccupancyFigures | None,
    model: PredictedRun,
) -> ServerResult:
    counts = kernel.servers.get(address)
    return ServerResult(
        address=address,
        weight=weight,
        connections=counts.connections if counts else None,
        requests={name: requests.requests(name, address) for name in classes},
        active_max=counts.active_max if counts else None,
        inactive_max=counts.inactive_max if counts else None,
        failures={name: requests.failures(name, address) for name in classes},
        weights=tuple(counts.weights) if counts else (weight,),
        utilisation=occupancy.utilisation if occupancy else None,
        busy_max=occupancy.busy_max if occupancy else None,
        queue_max=occupancy.queue_max if occupancy else None,
        predicted=model.servers.get(address),
    )


def _occupancy(
    run: RecordedRun, joined: Iterable[str], last_us: int | None, scenario: Scenario | None
) -> dict[str | None, OccupancyFigures]:
    """The figures of each server, from when it joined and something went on."""
    begin_us, end_us = active_span(run, last_us) or (run.start_us, run.end_us)
    since_us = dict.fromkeys(joined, begin_us)
    for event in run.of_type(ServerJoined):
        since_us[event.server] = max(begin_us, event.t_us)
    capacity = scenario.service.capacity if scenario else None
    workers = capacity.workers if capacity else None
    return occupancy_figures(run.occupancy, since_us, end_us, workers)


def _traffic(
    name: str,
    requests: RequestCounts,
    refusals: Mapping[str, int],
    arrivals: ArrivalsResult | None,
) -> TrafficResult:
    ordered = requests.latencies(name)
    return TrafficResult(
        requests=requests.requests(name) or 0,
        failures=requests.failures(name),
        errors=in_order(requests.errors.get(name, {})),
        rps=requests.rps(name),
        latency_ms={which: latency_ms(ordered, which) for which in LATENCIES},
        failures_without_server=requests.nowhere[name],
        refused_by=dict(refusals),
        retried=requests.retried[name],
        lateness_ms=arrivals.lateness_ms if arrivals else {},
        arrivals=arrivals,
        queue_ms=queue_ms(requests.queue_times(name)),
        latency_parts_ms=latency_parts_ms(requests.queued(name)),
    )


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
