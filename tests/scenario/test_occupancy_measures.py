"""Busy workers and queues in conditions: only where servers have a capacity, in its bounds."""

import pytest

from ipvsload.scenario.load import ScenarioError, parse_scenario
from tests.skew_recording import SCENARIO

CAPACITY = "servers: 1\n  capacity: {workers: 4, queue: 3}\n"
WITHOUT = (
    " is known of servers with a capacity only; give them one under 'service',"
    " as in capacity: {workers: 8}"
)


def fault(old: str, new: str, text: str = SCENARIO) -> str:
    assert old in text
    with pytest.raises(ScenarioError) as raised:
        parse_scenario(text.replace(old, new), "t.yaml")
    return str(raised.value)


@pytest.mark.parametrize("measure", ["busy", "queue"])
def test_a_wait_needs_servers_with_a_capacity(measure: str) -> None:
    said = fault("active{server=1} == 10", f"servers == 1 and {measure}{{server=1}} == 2")
    assert said.startswith(f"t.yaml:11:29: '{measure}'{WITHOUT}")


@pytest.mark.parametrize(
    "expected", ["busy_max{server=1} == 4", "utilisation < 1", "queue_p95{class=short} < 5ms"]
)
def test_an_expectation_needs_servers_with_a_capacity(expected: str) -> None:
    name = expected.split("{")[0].split()[0]
    assert fault("failures == 0", expected).startswith(f"t.yaml:19:7: '{name}'{WITHOUT}")


def test_a_wait_for_more_than_the_servers_have_cannot_come_true() -> None:
    text = SCENARIO.replace("servers: 1\n", CAPACITY)
    assert parse_scenario(text.replace("active{server=1} == 10", "busy{server=1} == 4"), "t.yaml")
    said = fault("active{server=1} == 10", "busy{server=1} == 5", text)
    assert "busy{server=1} is at most 4 here (each server has 4 workers)" in said
    said = fault("active{server=1} == 10", "queue > 3", text)
    assert "queue is at most 3 here (each server has a queue of 3)" in said
    # The load may be less than the servers can take.
    few = text.replace("users: 10, requests: 10", "users: 2, requests: 10")
    said = fault("active{server=1} == 10", "busy{server=1} == 3", few)
    assert "busy{server=1} is at most 2 here ('long' has 2 users)" in said


def test_a_queue_without_an_end_has_no_bound_but_the_load() -> None:
    text = SCENARIO.replace("servers: 1\n", "servers: 1\n  capacity: {workers: 4}\n")
    assert parse_scenario(text.replace("active{server=1} == 10", "queue == 6"), "t.yaml")
    assert "queue is at most 10 here" in fault("active{server=1} == 10", "queue == 11", text)


def test_no_part_is_more_than_all() -> None:
    text = SCENARIO.replace("servers: 1\n", CAPACITY)
    assert "utilisation{server=1} is between 0 and 1" in fault(
        "failures == 0", "utilisation{server=1} > 1", text
    )
    assert "unknown measure 'utilization'; did you mean 'utilisation'?" in fault(
        "failures == 0", "utilization{server=1} < 1", text
    )


def test_what_ends_a_run_early_needs_servers_with_a_capacity() -> None:
    said = fault("timeline:\n", "stop-when: [queue > 50]\ntimeline:\n")
    assert said.startswith(f"t.yaml:9:13: 'queue'{WITHOUT}")
