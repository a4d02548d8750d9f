"""How long a step took to stand in the table of every node."""

import pytest

from ipvsload.record.events import ServerJoined, StepStarted
from ipvsload.record.format import Sample
from ipvsload.record.reader import RecordedRun
from ipvsload.results.change_delays import ChangeResult, change_results
from ipvsload.scenario.load import parse_scenario
from tests.results.tables import A, B, Rows, sample

SCENARIO = parse_scenario(
    """
name: changes
schedulers: [rr]
service: {servers: 1}
traffic: {short: {users: 1}}
timeline:
  - scale: 2
  - reweigh: {server: 2, weight: 3}
  - start: short
  - kill: 2
  - remove: 2
  - wait: 1s
  - stop: short
""",
    "changes.yaml",
)
TWO_AT_ONCE = """
name: changes
schedulers: [rr]
service: {servers: 2}
traffic: {short: {users: 1}}
timeline:
  - reweigh: {server: 1, weight: 2}
  - reweigh: {server: 2, weight: 2}
  - start: short
  - stop: short
"""
SECOND = 1_000_000
ONE: Rows = {A: (1, 0)}
TWO: Rows = {A: (1, 0), B: (1, 0)}
HEAVY: Rows = {A: (1, 0), B: (3, 0)}


def run(samples: list[Sample], *steps: tuple[float, int]) -> RecordedRun:
    texts = ["scale to 2", "server 2: weight 3", "start short", "kill server 2", "remove server 2"]
    joined = [ServerJoined(1, 0, A, 1, 1), ServerJoined(1, SECOND, B, 2, 1)]
    begun = [StepStarted(1, round(at * SECOND), index, texts[index]) for at, index in steps]
    return RecordedRun(1, "rr", start_us=SECOND // 2, events=[*joined, *begun], samples=samples)


def course(*tables: tuple[float, Rows], node: str = "director") -> list[Sample]:
    return [sample(round(at * SECOND), table, node) for at, table in tables]


def test_from_the_step_to_the_first_sample_that_shows_it() -> None:
    seen = course((0.9, ONE), (1.1, ONE), (1.2, TWO), (2.1, HEAVY), (3.1, ONE))
    found = change_results(run(seen, (1, 0), (2, 1), (2.5, 2), (2.6, 3), (3, 4)), SCENARIO)
    assert [one.step for one in found] == [1, 2, 5]  # a kill changes nothing in the table
    assert [one.at_s for one in found] == pytest.approx([0.5, 1.5, 2.5])
    assert [one.servers for one in found] == [(2,), (2,), (2,)]
    assert [one.table_s for one in found] == pytest.approx([0.2, 0.1, 0.1])
    assert [one.more_than_s for one in found] == pytest.approx([0.1, 0, 0])


def test_of_two_steps_before_one_sample_each_has_its_own_servers() -> None:
    found = change_results(run(course((0.9, ONE), (1.2, HEAVY)), (1, 0), (1.1, 1)), SCENARIO)
    assert [one.servers for one in found] == [(2,), (2,)]
    both_at_once = parse_scenario(TWO_AT_ONCE, "two.yaml")
    both = {A: (2, 0), B: (2, 0)}
    found = change_results(run(course((0.9, TWO), (1.2, both)), (1, 0), (1.1, 1)), both_at_once)
    assert [one.servers for one in found] == [(1,), (2,)]
    assert [one.table_s for one in found] == pytest.approx([0.2, 0.1])


def test_the_last_node_counts() -> None:
    seen = course((0.9, ONE), (1.1, TWO), (1.3, TWO), (1.5, TWO)) + course(
        (0.95, ONE), (1.2, ONE), (1.4, TWO), node="other"
    )
    (found,) = change_results(run(sorted(seen, key=lambda s: s.t_us), (1, 0)), SCENARIO)
    assert found.table_s == pytest.approx(0.4)
    assert found.more_than_s == pytest.approx(0.2)


def test_what_never_stands_there_has_no_time() -> None:
    (found,) = change_results(run(course((0.9, ONE), (1.1, ONE)), (1, 0)), SCENARIO)
    assert found == ChangeResult(1, "scale to 2", found.at_s)
    assert change_results(run(course((0.9, ONE)), (1, 0)), None) == ()


def test_a_row_may_be_seen_before_the_server_is_known_to_have_joined() -> None:
    (found,) = change_results(run(course((0.5, ONE), (0.9, TWO)), (0.8, 0)), SCENARIO)
    assert found.table_s == pytest.approx(0.1)
    assert found.servers == (2,)
