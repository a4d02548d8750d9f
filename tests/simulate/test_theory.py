"""Simulated queues are those of theory, where theory has a closed form.

Most figures are means over independent runs, and the error that is allowed is five standard
errors of that mean, as the runs themselves show it. Seeds are fixed, so what holds once holds
always.
"""

import statistics
from collections.abc import Callable
from functools import cache, partial
from itertools import chain, groupby, islice
from typing import Any

import numpy as np
import pytest

from benchmarks.markovian_queue import MarkovianQueue
from benchmarks.random_arrivals import exponential, poisson_arrivals
from benchmarks.supermarket_model import SupermarketModel
from ipvsload.ipvs_model.schedulers.base import RuleSettings
from ipvsload.simulate.connection_stream import (
    ClassFigures,
    ConnectionStream,
    ServerCapacity,
)
from ipvsload.simulate.remembered_counts import RememberedCounts

WORK_S = 5.0
"""Long, so that what lc and twos remember of finished connections is little beside it."""
RUNS = 10
SERVERS = 500
EACH_NS = 10_000_000_000
HOUR_NS = 3_600_000_000_000
"""The greatest counts are not asked for."""


def stream_of(rule: str, servers: int, workers: int, seed: int) -> ConnectionStream:
    draw = np.random.default_rng((seed, 1)).random
    director = RememberedCounts(
        rule,
        RuleSettings("192.0.2.80", draw=draw),
        [(f"server {number}", 1) for number in range(servers)],
    )
    return ConnectionStream([director], ServerCapacity(workers), classes=2, look_ns=HOUR_NS)


@cache
def steady(
    rule: str, servers: int, workers: int, load: float, many: int, seed: int
) -> ClassFigures:
    """The figures of so many connections, after a third as many that do not count."""
    stream = stream_of(rule, servers, workers, seed)
    rate = load * servers * workers / WORK_S
    coming = poisson_arrivals(many * 4 // 3, rate, exponential(WORK_S), seed)
    before = ((at_ns, work_ns, 1) for at_ns, work_ns, _ in islice(coming, many // 3))
    stream.play(chain(before, coming))
    stream.finish()
    return stream.figures[0]


def over_runs(figure: Callable[[ClassFigures], float], runs: list[ClassFigures]) -> Any:
    """What the mean of a figure over the runs says it is, with its error; for ==."""
    found = [figure(one) for one in runs]
    error = 5 * statistics.stdev(found) / len(runs) ** 0.5
    mean = statistics.fmean(found)
    assert error < 0.15 * mean, "too few connections to say anything"
    return pytest.approx(mean, abs=error)


def mean_s(figures: ClassFigures) -> float:
    return (figures.latency.mean or 0.0) / 1e9


def within(theory: MarkovianQueue, part: float, figures: ClassFigures) -> float:
    """What part of all times is, by theory, not more than this percentile."""
    return theory.within((figures.latency.percentile(part) or 0.0) / 1e9)


@pytest.mark.parametrize(("workers", "load"), [(1, 0.7), (4, 0.8), (16, 0.9)])
def test_a_server_with_workers_is_mmn(workers: int, load: float) -> None:
    """Erlang's C formula, and the distribution of the time in the system."""
    theory = MarkovianQueue(load * workers / WORK_S, WORK_S, workers)
    runs = [steady("rr", 1, workers, load, 7_000, seed) for seed in range(RUNS)]
    assert theory.mean_time == over_runs(mean_s, runs)
    assert theory.waiting == over_runs(lambda one: 1 - one.queue.zeros / one.queue.count, runs)
    for part in (50, 90, 99):
        assert part / 100 == over_runs(partial(within, theory, part), runs)


def test_random_splits_are_mm1() -> None:
    """A Poisson process that is split at random is some Poisson processes."""
    theory = MarkovianQueue(0.7 / WORK_S, WORK_S)
    runs = [steady("random", 16, 1, 0.7, 7_000, seed) for seed in range(RUNS)]
    assert theory.mean_time == over_runs(mean_s, runs)
    assert theory.waiting == over_runs(lambda one: 1 - one.queue.zeros / one.queue.count, runs)


def test_twos_is_the_supermarket_model() -> None:
    """How many servers have at least 1, 2, 3, 4 connections, at times that nothing chose."""
    theory = SupermarketModel(0.9, WORK_S)
    stream = stream_of("twos", SERVERS, 1, 3)
    coming = poisson_arrivals(100_000, 0.9 * SERVERS / WORK_S, exponential(WORK_S), 3)
    looks: list[list[float]] = []
    for at_ns, some in groupby(coming, lambda arrival: -(-arrival[0] // EACH_NS) * EACH_NS):
        stream.play(some)
        stream.advance(at_ns)
        if at_ns >= 20 * EACH_NS:
            present = stream.directors[0].servers.active
            looks.append([float(np.mean(present >= many)) for many in range(1, 5)])
    found = np.mean(looks, axis=0)
    assert len(looks) > 80
    # Looks 10 s apart depend on each other, and 500 servers are not infinitely many.
    assert found == pytest.approx([theory.at_least(many) for many in range(1, 5)], rel=0.05)
    assert stream.figures[0].latency.mean == pytest.approx(theory.mean_time * 1e9, rel=0.05)


@pytest.mark.parametrize("rule", ["lc", "wlc", "sed", "nq", "twos", "rr"])
def test_nobody_is_better_than_one_queue_or_worse_than_chance(rule: str) -> None:
    """Servers with a worker each stand between one queue for all of them, and random splits.

    Of all that do not know the work, the shortest queue is best (Winston, "Optimality of the
    shortest line discipline", Journal of Applied Probability 14, 1977), and no queue
    of its own is better than a common one.
    """
    servers, load = 8, 0.8
    pooled = MarkovianQueue(load * servers / WORK_S, WORK_S, servers).mean_time
    split = MarkovianQueue(load / WORK_S, WORK_S).mean_time
    runs = [steady(rule, servers, 1, load, 3_000, seed) for seed in range(RUNS)]
    mean = statistics.fmean(map(mean_s, runs))
    assert pooled < mean < split
    least = statistics.fmean(mean_s(steady("lc", servers, 1, load, 3_000, s)) for s in range(RUNS))
    # All have the same arrivals and the same work.
    assert least <= mean * 1.02
