"""The result of one run of which only counts were kept, as the reports show every run's."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ipvsload import __version__
from ipvsload.ipvs.lc_laws import USUAL_LC_LAW
from ipvsload.results.director import DirectorResult
from ipvsload.results.judgement import RunMeasures, expectations_of, held
from ipvsload.results.kernel_counts import KernelCounts, ServerCounts
from ipvsload.results.occupancy_counts import OccupancyFigures
from ipvsload.results.results import RunResult, ServerResult, TrafficResult
from ipvsload.scenario.measures.latency import LATENCIES, percent_of
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.variant import Variant
from ipvsload.simulate.connection_stream import ClassFigures, ConnectionStream
from ipvsload.simulate.latency_histogram import LatencyHistogram
from ipvsload.simulate.summarized_counts import OVERFLOWED, WITHOUT_SERVER, SummarizedCounts

NOTE = "a summary: no single request was kept, and percentiles are exact to 0.3 %"
_QUEUE = ("p50", "p95", "p99", "max", "mean")


class SummarizedRun(NamedTuple):
    """What was played. `servers` are addresses and weights; `seconds_of` is by class."""

    number: int
    repeat: int
    variant: Variant
    servers: Sequence[tuple[str, int]]
    stream: ConnectionStream
    seconds: float
    seconds_of: Mapping[str, float]
    reasons: Sequence[str]


def summarized_result(
    scenario: Scenario, run: SummarizedRun, notes: Sequence[str] = ()
) -> tuple[RunResult, RunMeasures]:
    """The run's figures, and what expectations measure of it."""
    addresses = [address for address, _ in run.servers]
    figures = dict(zip(scenario.traffic, run.stream.figures, strict=True))
    counts = SummarizedCounts(figures, addresses, run.seconds_of)
    table, occupancy = _table(run), _occupancy(run)
    measures = RunMeasures(counts, table, table.servers, addresses, occupancy)
    expectations = expectations_of(run.variant.label, scenario, measures)
    reasons = (*run.reasons, *_timed_out(scenario, figures))
    result = RunResult(
        number=run.number,
        scheduler=run.variant.scheduler,
        label=run.variant.label,
        repeat=run.repeat,
        valid=not reasons,
        reasons=reasons,
        notes=(*notes, NOTE),
        kernel={"release": __version__, "provider": "model", "lc_law": USUAL_LC_LAW},
        servers=tuple(_servers(run, figures, table, occupancy)),
        traffic={name: _traffic(name, one, counts) for name, one in figures.items()},
        expectations=expectations,
        seconds={"setup": 0.0, "timeline": run.seconds, "teardown": 0.0},
        director=DirectorResult(forwarding=run.variant.forwarding_in(scenario.service.forwarding)),
        verdict="invalid" if reasons else held(expectations),
    )
    return result, measures


def _timed_out(scenario: Scenario, figures: Mapping[str, ClassFigures]) -> list[str]:
    return [
        f"requests of {name} took longer than their timeout of {spec.timeout:g} s: --summary goes"
        " on with them; simulate it without"
        for name, spec in scenario.traffic.items()
        if figures[name].latency.greatest > spec.timeout * 1e9
    ]


def _table(run: SummarizedRun) -> KernelCounts:
    stream = run.stream
    given = np.sum([one.by_server + one.overflowed for one in stream.figures], axis=0)
    servers = {
        address: ServerCounts([weight], int(conns), int(active), int(inactive))
        for (address, weight), conns, active, inactive in zip(
            run.servers, given, stream.active_max, stream.inactive_max, strict=True
        )
    }
    return KernelCounts(servers, stream.active_most, stream.inactive_most)


def _occupancy(run: SummarizedRun) -> dict[str | None, OccupancyFigures]:
    stream = run.stream
    if stream.capacity is None or not run.seconds:
        return {}
    workers = stream.capacity.workers
    busy = stream.busy_ns / 1e9 / run.seconds
    busy_max = np.minimum(stream.active_max, workers)
    queue_max = np.maximum(stream.active_max - workers, 0)
    found: dict[str | None, OccupancyFigures] = {
        address: OccupancyFigures(int(most), int(queued), float(mean), float(mean) / workers)
        for (address, _), most, queued, mean in zip(
            run.servers, busy_max, queue_max, busy, strict=True
        )
    }
    found[None] = OccupancyFigures(
        stream.busy_most, stream.queued_most, float(busy.sum()), float(busy.mean()) / workers
    )
    return found


def _servers(
    run: SummarizedRun,
    figures: Mapping[str, ClassFigures],
    table: KernelCounts,
    occupancy: Mapping[str | None, OccupancyFigures],
) -> list[ServerResult]:
    found = []
    for number, (address, weight) in enumerate(run.servers):
        counts, told = table.servers[address], occupancy.get(address)
        found.append(
            ServerResult(
                address=address,
                weight=weight,
                connections=counts.connections,
                requests={
                    name: int(one.by_server[number] + one.overflowed[number])
                    for name, one in figures.items()
                },
                active_max=counts.active_max,
                inactive_max=counts.inactive_max,
                failures={name: int(one.overflowed[number]) for name, one in figures.items()},
                weights=(weight,),
                utilisation=told.utilisation if told else None,
                busy_max=told.busy_max if told else None,
                queue_max=told.queue_max if told else None,
            )
        )
    return found


def _traffic(name: str, figures: ClassFigures, counts: SummarizedCounts) -> TrafficResult:
    overflowed = int(figures.overflowed.sum())
    errors = {OVERFLOWED: overflowed, WITHOUT_SERVER: figures.without_server}
    return TrafficResult(
        requests=counts.requests(name, None),
        failures=counts.failures(name, None),
        errors={kind: many for kind, many in errors.items() if many},
        rps=counts.rps(name, None),
        latency_ms={which: _ms(figures.latency, which) for which in LATENCIES},
        failures_without_server=figures.without_server,
        queue_ms={
            which: value for which in _QUEUE if (value := _ms(figures.queue, which)) is not None
        },
    )


def _ms(times: LatencyHistogram, which: str) -> float | None:
    found = {"max": float(times.greatest) if times.count else None, "mean": times.mean}
    ns = found[which] if which in found else times.percentile(percent_of(which))
    return None if ns is None else ns / 1e6
