"""`ipvsload simulate --summary`: runs of which nothing is kept but counts and histograms.

The same arrivals, work and addresses as in `play_model.py`; what happens between is the quick
half, `connection_stream.py`.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from ipvsload.errors import TestbedError
from ipvsload.experiment.block_order import block_order
from ipvsload.ipvs.lc_laws import USUAL_LC_LAW
from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings
from ipvsload.ipvs_model.timer_wheel import SECOND_NS
from ipvsload.results.judgement import RunMeasures, judged
from ipvsload.results.precision import decide, note
from ipvsload.results.results import Results, RunResult
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.model_rule import model_rule
from ipvsload.scenario.variant import Variant
from ipvsload.simulate.connection_stream import ConnectionStream, Origin, ServerCapacity
from ipvsload.simulate.model_connection import WAY_NS
from ipvsload.simulate.play_model import model_topology
from ipvsload.simulate.remembered_counts import RememberedCounts
from ipvsload.simulate.summarized_result import SummarizedRun, summarized_result
from ipvsload.simulate.summarized_timeline import SummarizedTimeline
from ipvsload.testbed.lab.source_ports import SourcePorts
from ipvsload.testbed.lab.topology import Topology, server_address

OnSummaryProgress = Callable[[str, int, float], None]
"""Told now and then of the run's label, its connections and its seconds until now."""


def play_summary(
    scenario: Scenario,
    variants: Sequence[Variant],
    repeats: int,
    progress: OnSummaryProgress = lambda label, connections, seconds: None,
    notes: tuple[str, ...] = (),
    precision: float | None = None,
    block_over: Callable[[str], None] = lambda words: None,
) -> Results:
    """The results of all runs, or of those that were over when somebody interrupted them.

    `notes` are told with each run. With a `precision` there are `repeats` at most, and
    `block_over` is told after each how wide intervals are. Raises TestbedError for a balancer
    without a rule.

    `refuse_what_needs_a_record` must have passed.
    """
    topology = model_topology(scenario)
    origin = None
    ports = SourcePorts(topology.client_addresses, topology)
    if scenario.service.directors > 1 or any(map(_looks_at_clients, variants)):
        origin = _origins(ports, topology)
    measured: list[tuple[RunResult, RunMeasures]] = []
    ends: tuple[str, ...] = ()
    labels = [variant.label for variant in variants]
    ended: tuple[str, ...] = ()
    number, variant = 0, variants[0]
    try:
        for repeat in range(1, repeats + 1):
            order = block_order(variants, scenario.seed, repeat, alone=repeats == 1)
            for variant in order:
                number += 1
                ports.begin_run(repeat, remembered=False)
                played = _played(scenario, variant, number, repeat, topology, origin, progress)
                measured.append(summarized_result(scenario, played, notes))
            if precision is not None:
                now = decide(scenario, measured, labels, repeat, repeats, precision)
                block_over(now.words)
                if now.ends is not None:
                    ended = (note(repeat, now.ends),)
                    break
    except KeyboardInterrupt:
        # Just anywhere: what there is of this run may not fit together.
        ends = (f"interrupted in run {number} ({variant.label}), which is left out",)
    found = judged(scenario, scenario.name, "model", 0, measured, ends, labels)
    return replace(found, notes=ended)


def _played(
    scenario: Scenario,
    variant: Variant,
    number: int,
    repeat: int,
    topology: Topology,
    origin: Callable[[], Origin] | None,
    progress: OnSummaryProgress,
) -> SummarizedRun:
    service = scenario.service
    rule = model_rule(variant.scheduler)
    if rule is None:
        raise TestbedError(f"nothing was run. {variant.scheduler}: the model has no rule for it")
    weights = service.weights or (1,) * service.servers
    servers = [
        (server_address(one, service.family), weight) for one, weight in enumerate(weights, 1)
    ]
    directors = [
        RememberedCounts(
            rule,
            RuleSettings(
                topology.vip,
                frozenset(variant.flags),
                USUAL_LC_LAW,
                Random(f"{topology.seed}/{repeat}/{variant.scheduler}/{director}").random,
            ),
            servers,
        )
        for director in range(service.directors)
    ]
    capacity = None
    if service.capacity is not None:
        speeds = [service.capacity.speed_of(one) for one in range(1, len(servers) + 1)]
        capacity = ServerCapacity(
            service.capacity.workers,
            service.capacity.queue,
            speeds if set(speeds) != {1.0} else (),
        )
    names = list(scenario.traffic)
    stream = ConnectionStream(directors, capacity, classes=len(names), origin=origin, way_ns=WAY_NS)
    timeline = SummarizedTimeline(scenario, stream, f"{scenario.seed}/{repeat}")
    for place, step in enumerate(scenario.timeline, 1):
        for _ in timeline.play(place, step):
            progress(variant.label, stream.connections, stream.now_ns / SECOND_NS)
    timeline.finish()
    return SummarizedRun(
        number,
        repeat,
        variant,
        servers,
        stream,
        timeline.seconds,
        timeline.seconds_of,
        timeline.reasons,
    )


def _looks_at_clients(variant: Variant) -> bool:
    return variant.scheduler in SCHEDULERS and SCHEDULERS[variant.scheduler].hashes


def _origins(ports: SourcePorts, topology: Topology) -> Callable[[], Origin]:
    firsts = [one.start for one in topology.director_ports]

    def origin() -> Origin:
        address, port = ports.take()
        return Origin(Client(address, port), bisect_right(firsts, port) - 1)

    return origin
