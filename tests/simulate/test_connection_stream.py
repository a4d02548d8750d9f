"""The fast half of simulation chooses and serves as the plain one does, step by step."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import RuleSettings
from ipvsload.simulate.connection_stream import ConnectionStream, ServerCapacity
from ipvsload.simulate.remembered_counts import RememberedCounts
from tests.simulate.stepwise import origin, played

SECOND = 1_000_000_000
VIP = "192.0.2.80"

arrivals = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 30_000_000), st.integers(0, 150 * SECOND)),
        st.one_of(st.integers(0, 50_000_000), st.integers(0, 10 * SECOND)),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=25, deadline=None)
@given(
    scheduler=st.sampled_from(sorted(RULES)),
    law=st.sampled_from([256, 257]),
    weights=st.lists(st.integers(0, 3), min_size=1, max_size=6),
    steps=arrivals,
    workers=st.integers(1, 3),
    queue=st.one_of(st.none(), st.integers(0, 2)),
    directors=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_choices_and_times_are_those_of_the_model_that_knows_every_connection(
    scheduler: str,
    law: int,
    weights: list[int],
    steps: list[tuple[int, int]],
    workers: int,
    queue: int | None,
    directors: int,
    seed: int,
) -> None:
    capacity = ServerCapacity(workers, queue, [1 + number % 2 for number in range(len(weights))])
    times = np.cumsum([gap for gap, _ in steps]).tolist()
    # A class each, so that the figures are those of single requests.
    coming = [
        (at, work, number) for number, (at, (_, work)) in enumerate(zip(times, steps, strict=True))
    ]
    through = random.Random(seed).choices(range(directors), k=len(coming))
    origins = [origin(number, director) for number, director in enumerate(through, 1)]
    plain, quick = [], []
    for director in range(directors):
        plain.append(
            DirectorModel(
                ServiceSettings(
                    scheduler, VIP, lc_law=law, draw=random.Random(f"{seed}/{director}").random
                )
            )
        )
        draw = random.Random(f"{seed}/{director}").random
        servers = [(f"198.51.100.{number}:80", weight) for number, weight in enumerate(weights)]
        quick.append(RememberedCounts(scheduler, RuleSettings(VIP, lc_law=law, draw=draw), servers))
        for server in servers:
            plain[-1].join(*server)
    expected = played(plain, coming, origins, capacity)
    stream = ConnectionStream(quick, capacity, classes=len(coming), origin=iter(origins).__next__)
    stream.play(coming)
    stream.finish()
    for (at_ns, _, _), served, figures in zip(coming, expected, stream.figures, strict=True):
        if served.server is None:
            assert figures.without_server == 1
        elif served.began_ns is None:
            assert figures.overflowed[served.server] == 1
        else:
            assert figures.by_server[served.server] == 1
            assert figures.latency.total == (served.ended_ns or 0) - at_ns
            assert figures.queue.total == served.began_ns - at_ns
    for one in quick:
        assert not one.servers.active.any()


def test_a_way_of_some_time_is_added_there_and_back() -> None:
    director = RememberedCounts("lc", RuleSettings(VIP), [("198.51.100.11:80", 1)])
    stream = ConnectionStream([director], ServerCapacity(1), way_ns=100)
    stream.play([(1_000, 50, 0), (1_010, 50, 0)])
    stream.finish()
    (figures,) = stream.figures
    # The second begins when the first has ended, at 1,150.
    assert figures.latency.total == 250 + 290
    assert figures.queue.total == 40
    assert stream.answered_ns == 1_300
    assert stream.busy_ns.tolist() == [100]


def test_without_a_capacity_a_server_does_all_at_once() -> None:
    director = RememberedCounts("lc", RuleSettings(VIP), [("198.51.100.11:80", 1)])
    stream = ConnectionStream([director])
    stream.play((at, 3 * SECOND, 0) for at in range(50))
    stream.finish()
    assert stream.figures[0].latency.greatest == 3 * SECOND
    assert stream.active_max.tolist() == [50]
    assert stream.inactive_max.tolist() == [50]


def test_what_it_keeps_does_not_grow_with_the_connections() -> None:
    servers = [(f"198.51.100.{number}:80", 1) for number in range(3)]
    director = RememberedCounts("lc", RuleSettings(VIP), servers)
    stream = ConnectionStream([director], ServerCapacity(1))
    for hour in range(3):
        stream.play(((hour * 1000 + at) * SECOND, SECOND // 2, 0) for at in range(1000))
        assert director.kept <= 62 * 3
    assert stream.inactive_max.sum() == pytest.approx(122, abs=2)
