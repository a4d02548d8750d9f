"""The repeats of a scheduler together: medians and ranges.

Servers are matched by their number in the order of joining, as in scenarios,
because a testbed may give them other addresses in each run.
"""

from collections.abc import Sequence

from ipvsload.results.director_splits import summarize_directors
from ipvsload.results.prediction import together
from ipvsload.results.queue_times import PARTS
from ipvsload.results.refusals import REFUSED
from ipvsload.results.results import (
    RunResult,
    SchedulerSummary,
    ServerSummary,
    TrafficResult,
    TrafficSummary,
)
from ipvsload.results.spread_summary import spread_summary
from ipvsload.scenario.measures.latency import LATENCIES
from ipvsload.scenario.measures.sent_late import LATENESS
from ipvsload.statistics.median_range import MedianRange, median_range


def summarize(
    label: str, runs: Sequence[RunResult], common: Sequence[str] = (), asked: Sequence[str] = ()
) -> SchedulerSummary:
    """Medians and ranges over the valid runs, or over all where none is valid.

    `common` are the director's settings that all have, and `asked` are those that the label
    stands for: neither needs to be told beside it.
    """
    counted = [run for run in runs if run.valid] or list(runs)
    most = max((len(run.servers) for run in counted), default=0)
    classes = list(dict.fromkeys(name for run in counted for name in run.traffic))
    return SchedulerSummary(
        scheduler=counted[0].scheduler,
        label=label,
        repeats=len(runs),
        valid=sum(run.valid for run in runs),
        servers=tuple(_server(number, counted, classes) for number in range(1, most + 1)),
        traffic={
            name: _traffic([run.traffic[name] for run in counted if name in run.traffic])
            for name in classes
        },
        settings=tuple(
            dict.fromkeys(
                words
                for run in counted
                for words in (*run.director.of_service, *run.director.of_director)
                if words not in (*common, *asked)
            )
        ),
        asked=tuple(asked),
        directors=summarize_directors(
            [([server.address for server in run.servers], run.directors) for run in counted]
        ),
        ended_early=sum(run.ended_early is not None for run in counted),
        prediction=together(run.prediction for run in counted),
        director_us=_director_us(counted),
        spread=spread_summary(
            [run.active_evenness for run in counted],
            [run.utilisation_evenness for run in counted],
            [run.weight_departure for run in counted],
            [run.changes for run in counted],
            [run.joined for run in counted],
        ),
    )


def _director_us(runs: Sequence[RunResult]) -> dict[str, MedianRange | None]:
    times = [run.witness.director_us for run in runs if run.witness and run.witness.director_us]
    return {p: median_range([one[p] for one in times]) for p in ("p50", "p99") if times}


def _server(number: int, runs: Sequence[RunResult], classes: Sequence[str]) -> ServerSummary:
    having = [run for run in runs if len(run.servers) >= number]
    mine = [run.servers[number - 1] for run in having]
    wholes = {
        name: [run.traffic[name].requests if name in run.traffic else 0 for run in having]
        for name in classes
    }
    requests = {name: [server.requests.get(name) for server in mine] for name in classes}
    failures = {name: [server.failures.get(name) for server in mine] for name in classes}
    return ServerSummary(
        number=number,
        connections=median_range([server.connections for server in mine]),
        active_max=median_range([server.active_max for server in mine]),
        inactive_max=median_range([server.inactive_max for server in mine]),
        requests={name: median_range(requests[name]) for name in classes},
        share={name: _share(requests[name], wholes[name]) for name in classes},
        failures={name: median_range(failures[name]) for name in classes},
        failed_share={name: _share(failures[name], wholes[name]) for name in classes},
        weights=tuple(dict.fromkeys(server.weights for server in mine)),
        utilisation=median_range([server.utilisation for server in mine]),
        busy_max=median_range([server.busy_max for server in mine]),
        queue_max=median_range([server.queue_max for server in mine]),
        predicted=median_range([s.predicted.connections if s.predicted else None for s in mine]),
        share_of_connections=median_range([server.share for server in mine]),
        weight_share=median_range([server.weight_share for server in mine]),
        latency_ms={
            name: {
                which: median_range([s.latency_ms.get(name, {}).get(which) for s in mine])
                for which in LATENCIES
            }
            for name in classes
            if any(name in server.latency_ms for server in mine)
        },
    )


def _traffic(results: Sequence[TrafficResult]) -> TrafficSummary:
    kinds = [_kinds(t) for t in results]
    wholes = [t.requests for t in results]
    nowhere = [t.failures_without_server for t in results]
    return TrafficSummary(
        requests=median_range([t.requests for t in results]),
        failures=median_range([t.failures for t in results]),
        rps=median_range([t.rps for t in results]),
        latency_ms={
            which: median_range([t.latency_ms[which] for t in results])
            for which in results[0].latency_ms
        },
        failed_share=_share([t.failures for t in results], wholes),
        failures_without_server=median_range(nowhere),
        share_without_server=_share(nowhere, wholes),
        errors={
            kind: median_range([counts.get(kind, 0) for counts in kinds])
            for kind in dict.fromkeys(kind for counts in kinds for kind in counts)
        },
        retried=median_range([t.retried for t in results]),
        lateness_ms={
            which: median_range([t.lateness_ms.get(which) for t in results])
            for which in LATENESS
            if any(t.lateness_ms for t in results)
        },
        queue_ms={
            which: median_range([t.queue_ms.get(which) for t in results])
            for which in dict.fromkeys(key for t in results for key in t.queue_ms)
        },
        latency_parts_ms={
            which: {
                part: median_range([t.latency_parts_ms.get(which, {}).get(part) for t in results])
                for part in PARTS
            }
            for which in dict.fromkeys(key for t in results for key in t.latency_parts_ms)
        },
        lost=median_range([t.lost for t in results]),
    )


def _kinds(result: TrafficResult) -> dict[str, int]:
    """The failures by kind, with those that were refused by whom, where that is known."""
    kinds: dict[str, int] = {}
    for kind, count in result.errors.items():
        if kind == REFUSED and sum(result.refused_by.values()) == count:
            kinds |= {f"{kind} ({by})": n for by, n in result.refused_by.items()}
        else:
            kinds[kind] = count
    return kinds


def _share(parts: Sequence[int | None], wholes: Sequence[int]) -> MedianRange | None:
    """Parts of a whole, 0 to 1, one a run; not of a run in which either is not known."""
    return median_range(
        [
            part / whole if part is not None and whole else None
            for part, whole in zip(parts, wholes, strict=True)
        ]
    )
