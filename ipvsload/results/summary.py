"""The repeats of a scheduler together: medians and ranges.

Servers are matched by their number in the order of joining, as in scenarios,
because a testbed may give them other addresses in each run.
"""

from collections.abc import Sequence

from ipvsload.results.results import (
    RunResult,
    SchedulerSummary,
    ServerSummary,
    TrafficResult,
    TrafficSummary,
)
from ipvsload.statistics.median_range import MedianRange, median_range


def summarize(scheduler: str, runs: Sequence[RunResult]) -> SchedulerSummary:
    """Medians and ranges over the valid runs, or over all where none is valid."""
    counted = [run for run in runs if run.valid] or list(runs)
    most = max((len(run.servers) for run in counted), default=0)
    classes = list(dict.fromkeys(name for run in counted for name in run.traffic))
    # Requests of each class whose server is known.
    totals = [
        {name: sum(server.requests.get(name) or 0 for server in run.servers) for name in classes}
        for run in counted
    ]
    return SchedulerSummary(
        scheduler=scheduler,
        repeats=len(runs),
        valid=sum(run.valid for run in runs),
        servers=tuple(_server(number, counted, totals) for number in range(1, most + 1)),
        traffic={name: _traffic([run.traffic[name] for run in counted]) for name in classes},
    )


def _server(
    number: int, runs: Sequence[RunResult], totals: Sequence[dict[str, int]]
) -> ServerSummary:
    having = [
        (run.servers[number - 1], total)
        for run, total in zip(runs, totals, strict=True)
        if len(run.servers) >= number
    ]
    requests: dict[str, MedianRange | None] = {}
    share: dict[str, MedianRange | None] = {}
    for name in totals[0]:
        counts = [(server.requests.get(name), total[name]) for server, total in having]
        requests[name] = median_range([count for count, _ in counts])
        share[name] = median_range(
            [count / total if count is not None and total else None for count, total in counts]
        )
    return ServerSummary(
        number=number,
        connections=median_range([server.connections for server, _ in having]),
        active_max=median_range([server.active_max for server, _ in having]),
        inactive_max=median_range([server.inactive_max for server, _ in having]),
        requests=requests,
        share=share,
    )


def _traffic(results: Sequence[TrafficResult]) -> TrafficSummary:
    return TrafficSummary(
        requests=median_range([t.requests for t in results]),
        failures=median_range([t.failures for t in results]),
        rps=median_range([t.rps for t in results]),
        latency_ms={
            which: median_range([t.latency_ms[which] for t in results])
            for which in results[0].latency_ms
        },
    )
