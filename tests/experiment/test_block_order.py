"""Blocks: each has every column once, in an order of its own."""

from collections import Counter
from itertools import permutations
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.experiment.block_order import block_order
from ipvsload.record.events import ClassStarted
from tests.simulate.played import played

CHANCE = """
name: chance
seed: 3
schedulers: [rr, twos, sh, {scheduler: mh, flags: [mh-port]}]
service: {servers: 4, clients: 5, directors: 2, spread: random, capacity: {workers: 2}}
traffic:
  work: {request: "GET /delay/{work}", work: exponential 20ms, rate: 300, arrivals: poisson,
         duration: 0.4s}
timeline: [{start: work, until: done}]
"""


@given(st.lists(st.text(max_size=3), max_size=20), st.integers(0), st.integers(1, 1000))
def test_a_block_has_each_column_once_and_the_seed_gives_its_order(
    columns: list[str], seed: int, repeat: int
) -> None:
    order = block_order(columns, seed, repeat, alone=False)
    assert Counter(order) == Counter(columns)
    assert order == block_order(columns, seed, repeat, alone=False)
    assert block_order(columns, seed, repeat, alone=True) == columns


def test_every_order_is_as_likely_as_the_others() -> None:
    seen = Counter(tuple(block_order("abc", 1, n, alone=False)) for n in range(1, 1201))
    assert set(seen) == set(permutations("abc"))
    assert all(130 < many < 270 for many in seen.values())  # 200 on average


def test_what_a_column_gets_and_does_does_not_depend_on_when_it_is_its_turn(
    tmp_path: Path,
) -> None:
    """All that chance decides is the same where the scenario lists its schedulers otherwise."""
    backwards = CHANCE.replace(
        "[rr, twos, sh, {scheduler: mh, flags: [mh-port]}]",
        "[{scheduler: mh, flags: [mh-port]}, sh, twos, rr]",
    )
    found, offered, orders = [], set(), []
    for name, text in (("one", CHANCE), ("other", backwards)):
        recording, _ = played(tmp_path / name, text, repeats=3)
        what = {}
        for run in recording.runs:
            (began,) = run.of_type(ClassStarted)
            requests = sorted(run.requests, key=lambda one: one.planned_us)
            what[run.label, run.repeat] = [(r.server, r.latency_us, r.error) for r in requests]
            rows = (
                (r.planned_us - began.t_us, r.work_us, r.client, r.port, r.director)
                for r in requests
            )
            offered.add((run.repeat, tuple(rows)))
        found.append(what)
        orders.append([(run.label, run.repeat) for run in recording.runs])
    assert found[0] == found[1]
    assert orders[0] != orders[1]
    assert len(offered) == 3  # one for each repeat
