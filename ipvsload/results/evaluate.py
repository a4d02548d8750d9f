"""From a recording to its results: counts, expectations, validity, verdict.

Results are always made from the files, also right after a run. So the verdict
of a run and that of its report a year later are the same computation.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ipvsload.record.events import BlocksEnded, RunEnded, ServerJoined
from ipvsload.record.reader import RecordedRun, Recording
from ipvsload.results import kernel_counts, validity
from ipvsload.results.arrivals import ArrivalsResult, arrivals_results
from ipvsload.results.asked_settings import asked_variant, unlike_asked
from ipvsload.results.attribution_check import attribution_notes, disagreements
from ipvsload.results.director import director_result
from ipvsload.results.director_splits import director_splits
from ipvsload.results.early_end import early_end
from ipvsload.results.explanations import explanations
from ipvsload.results.explanations.evidence import RunEvidence
from ipvsload.results.judgement import RunMeasures, expectations_of, held, judged
from ipvsload.results.kernel_counts import KernelCounts
from ipvsload.results.occupancy_counts import OccupancyFigures, occupancy_figures
from ipvsload.results.precision import note
from ipvsload.results.predicted_run import PredictedRun, predicted_run
from ipvsload.results.queue_times import queue_ms
from ipvsload.results.record_figures import RecordFigures
from ipvsload.results.recorded_scenario import (
    planned_columns,
    recorded_self_check,
    scaling_of,
)
from ipvsload.results.refusals import refused_by
from ipvsload.results.request_counts import RequestCounts
from ipvsload.results.results import (
    RecordedBy,
    Results,
    RunResult,
    ServerResult,
    TrafficResult,
)
from ipvsload.results.sampling import active_span, sampling_notes, sampling_result
from ipvsload.results.self_checked import self_checked
from ipvsload.results.witness_result import witness_notes, witness_result
from ipvsload.scenario.failures import in_order
from ipvsload.scenario.measures.latency import LATENCIES, latency_ms
from ipvsload.scenario.model import Scenario


def evaluate(
    recording: Recording,
    scenario: Scenario | None,
    begins: Callable[[int, int], None] | None = None,
) -> Results:
    """All results of a recording.

    Without a scenario (its copy is lost) nothing can be expected, and the
    verdict is "invalid". `begins` hears which run comes next, from 1, and of how many: long
    ones take seconds, most of them in the model.
    """
    ends = recording.ends
    if scenario is None:
        ends = (*ends, "scenario.yaml is missing or not valid: its expectations are unknown")
    measured = []
    choices = {}
    for at, run in enumerate(recording.runs, 1):
        if begins:
            begins(at, len(recording.runs))
        model = predicted_run(recording, run, scenario)
        result, measures = run_result(run, scenario, model)
        result = replace(result, notes=(*scaling_of(recording).notes, *result.notes))
        measured.append((result, measures))
        if model.choices and not (model.prediction and model.prediction.trivial):
            choices[run.number] = model.choices
    found = judged(
        scenario,
        recording.header.scenario or (scenario.name if scenario else ""),
        recording.header.testbed,
        recording.header.origin_unix_us,
        measured,
        ends,
        planned_columns(recording),
    )
    if check := recorded_self_check(recording):
        found = self_checked(found, check, scenario)
    recorded_by = RecordedBy(recording.header.ipvsload, recording.header.machine)
    notes = tuple(note(one.blocks, one.reason) for one in recording.of_type(BlocksEnded))
    return replace(found, notes=notes, choices=choices, recorded_by=recorded_by)


def run_result(
    run: RecordedRun, scenario: Scenario | None, model: PredictedRun
) -> tuple[RunResult, RunMeasures]:
    """One run's figures, and what expectations measure of it."""
    # Before all latencies are in memory: it needs much itself.
    opened = arrivals_results(run, scenario)
    requests = RequestCounts(run.requests)
    kernel = kernel_counts.count(run.samples, run.baseline)
    joined = {event.server: event.weight for event in run.of_type(ServerJoined)}
    for address, counts in kernel.servers.items():
        joined.setdefault(address, counts.weights[0])
        if not counts.present:
            # The last sample may show a counter of up to two seconds before it left.
            counts.connections = max(counts.connections, requests.opened[address])
    classes = list(scenario.traffic) if scenario else []
    classes += [name for name in requests.classes if name not in classes]
    sampling = sampling_result(run, requests.last_us)
    director = director_result(run)
    attribution = run.listed.attribution if run.listed else None
    reasons = (
        *validity.reasons(run, scenario, requests, kernel),
        *disagreements(run, attribution),
        *(fault for one in opened.values() for fault in one.faults),
        *unlike_asked(run, asked_variant(run, scenario), director),
    )
    refusals = refused_by(run.requests, run.samples)
    occupancy = _occupancy(run, joined, requests.last_us, scenario)
    lateness = {name: one.lateness_ms for name, one in opened.items()}
    record = RecordFigures(run, scenario, requests, list(joined), lateness)
    measures = RunMeasures(requests, kernel, kernel.servers, list(joined), occupancy, record)
    early = early_end(run)
    expectations = expectations_of(run.label, scenario, measures, ended_early=early is not None)
    ends = run.of_type(RunEnded)
    result = RunResult(
        number=run.number,
        scheduler=run.scheduler,
        label=run.label,
        repeat=run.repeat,
        valid=not reasons,
        reasons=reasons,
        notes=(
            *validity.notes(run, requests, refusals),
            *attribution_notes(run, attribution, requests),
            *sampling_notes(sampling),
            *witness_notes(run),
            *(note for one in opened.values() for note in one.notes),
            *explanations(RunEvidence(run, requests, kernel, director, refusals)),
            *((model.note,) if model.note else ()),
        ),
        kernel=run.kernel,
        servers=tuple(
            _server(
                address, weight, kernel, requests, classes, occupancy.get(address), model, record
            )
            for address, weight in joined.items()
        ),
        traffic={
            name: _traffic(name, requests, refusals.get(name, {}), opened.get(name), record)
            for name in classes
        },
        expectations=expectations,
        seconds=ends[-1].seconds if ends else {},
        director=director,
        directors=director_splits(run, joined),
        sampling=sampling,
        verdict="invalid" if reasons else "failed" if early else held(expectations),
        ended_early=early,
        prediction=model.prediction,
        witness=witness_result(run),
        attribution=attribution,
        active_evenness=record.active,
        utilisation_evenness=record.utilisation,
        weight_departure=record.weight_departure(None, None),
        changes=record.changes,
        joined=record.joined,
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
    record: RecordFigures,
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
        share=record.shares.share(None, address),
        weight_share=record.shares.fair_share(None, address),
        latency_ms=_latencies(requests, classes, address),
    )


def _latencies(
    requests: RequestCounts, classes: Iterable[str], address: str
) -> dict[str, dict[str, float | None]]:
    """The latencies, in ms, of the requests of each class that this server answered."""
    found = {}
    for name in classes:
        if ordered := requests.latencies(name, address):
            found[name] = {which: latency_ms(ordered, which) for which in LATENCIES}
    return found


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
    record: RecordFigures,
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
        latency_parts_ms=requests.parts_ms.get(name, {}),
        lost=record.lost(name),
        weight_departure=record.weight_departure(name, None),
    )
