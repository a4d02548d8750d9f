"""M/M/n against values of tables, other forms of the same, and the queue itself."""

import math
import random
from heapq import heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.markovian_queue import MarkovianQueue


@pytest.mark.parametrize(
    ("workers", "offered", "waits"),
    # By hand for one and two: a, and a²/(2 + a). The others are in every table of Erlang's C.
    [(1, 0.3, 0.3), (2, 1.0, 1 / 3), (4, 3.2, 0.5964), (10, 8.0, 0.4092), (100, 90.0, 0.2170)],
)
def test_who_waits(workers: int, offered: float, waits: float) -> None:
    assert MarkovianQueue(offered, 1.0, workers).waiting == pytest.approx(waits, abs=1e-4)


def test_one_worker() -> None:
    """Time in the system is exponential with the mean 1/(μ-λ)."""
    queue = MarkovianQueue(25, 0.020)
    assert queue.utilisation == pytest.approx(0.5)
    assert queue.mean_time == pytest.approx(0.040)
    for seconds in (0.001, 0.040, 0.2):
        assert queue.within(seconds) == pytest.approx(1 - math.exp(-seconds / 0.040))


@given(st.integers(1, 40), st.floats(0.01, 0.98), st.floats(1e-3, 10))
def test_the_mean_is_that_of_the_distribution(workers: int, busy: float, work: float) -> None:
    queue = MarkovianQueue(busy * workers / work, work, workers)
    assert queue.within(0) == 0
    # The area over the distribution function, in steps that become longer.
    edges = [0.0] + [work * 1.05**k / 1000 for k in range(360)]
    beyond = [1 - queue.within(edge) for edge in edges]
    assert beyond == sorted(beyond, reverse=True)
    area = sum(
        (b - a) * (p + q) / 2
        for a, b, p, q in zip(edges, edges[1:], beyond, beyond[1:], strict=False)
    )
    assert area == pytest.approx(queue.mean_time, rel=0.01)


@pytest.mark.parametrize(("workers", "rate"), [(1, 25), (4, 160)])
def test_the_queue_itself(workers: int, rate: float) -> None:
    """Each arrival takes the worker that is free first (Kiefer and Wolfowitz)."""
    chance = random.Random(7)
    queue, free, now = MarkovianQueue(rate, 0.02, workers), [0.0] * workers, 0.0
    times, waited, n = 0.0, 0, 200_000
    for _ in range(n):
        now += chance.expovariate(rate)
        began = max(now, heappop(free))
        ended = began + chance.expovariate(50)
        heappush(free, ended)
        waited += began > now
        times += ended - now
    assert times / n == pytest.approx(queue.mean_time, rel=0.05)
    assert waited / n == pytest.approx(queue.waiting, abs=0.02)
