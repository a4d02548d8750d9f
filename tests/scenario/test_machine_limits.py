"""What a scenario needs of the generator's machine, held against what is there."""

import socket
from contextlib import ExitStack

import pytest

from ipvsload.errors import TestbedError
from ipvsload.scenario.load import parse_scenario
from ipvsload.scenario.machine_limits import (
    MachineLimits,
    class_peak,
    connection_peak,
    shortfalls,
)
from ipvsload.scenario.model import Scenario
from ipvsload.this_machine import machine_limits, refuse_too_much

PLENTY = 1_000_000
FAMILIES = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}


def scenario(timeline: str, clients: int = 1, more: str = "") -> Scenario:
    text = f"""\
name: many
schedulers: [rr]
service: {{servers: 3, clients: {clients}{more}}}
traffic:
  a: {{request: GET /delay/3, users: 1500, requests: 1500}}
  b: {{request: GET /delay/3, users: 1500, requests: 1000}}
  open: {{rate: 9000, requests: 90000}}
timeline:
{timeline}
"""
    return parse_scenario(text, "many.yaml")


TOGETHER = "  - {start: [a, b, open], until: done, within: 60s}"
IN_TURN = """\
  - {start: a, until: "done{class=a}"}
  - {start: open, until: "done{class=open}"}
  - {start: b, until: "done{class=b}"}"""
LATER = """\
  - {start: a}
  - {wait: 1s}
  - {start: [b, open], until: done}"""


@pytest.mark.parametrize(
    ("timeline", "connections", "why"),
    [
        (TOGETHER, 2500, "'a' has 1500 users and 'b' has 1500 users for 1000 requests"),
        (IN_TURN, 1500, "'a' has 1500 users"),
        (LATER, 2500, "'a' has 1500 users and 'b' has 1500 users for 1000 requests"),
    ],
)
def test_the_most_connections_at_once_are_those_of_users_who_may_be_there_together(
    timeline: str, connections: int, why: str
) -> None:
    assert connection_peak(scenario(timeline)) == (connections, why)


def test_without_the_timeline_the_greatest_class_is_known() -> None:
    assert class_peak(scenario(IN_TURN).traffic) == (1500, "'a' has 1500 users")
    assert class_peak({}) == (0, "")


def test_only_arrivals_hold_an_unknown_number_of_connections() -> None:
    text = """\
name: open
schedulers: [rr]
traffic:
  open: {rate: 9000, requests: 90000}
timeline:
  - {start: open, until: done}
"""
    found = parse_scenario(text, "open.yaml")
    assert connection_peak(found) == (0, "")
    assert list(shortfalls(found, MachineLimits(1024, 1))) == []


def test_too_few_open_files_are_told_with_the_command_that_raises_the_limit() -> None:
    limits = MachineLimits(2000, PLENTY, more_files="`sudo prlimit --nofile={0}:{0}`")
    (told,) = shortfalls(scenario(TOGETHER), limits)
    words = "'a' has 1500 users and 'b' has 1500 users for 1000 requests"
    assert f"up to 2500 connections at once ({words})" in told
    assert "a process may have 2000 here" in told
    assert "`sudo prlimit --nofile=3072:3072`; or 2 processes make the load: `locust -" in told
    assert list(shortfalls(scenario(IN_TURN), limits)) == []


def test_the_command_gives_enough() -> None:
    few = MachineLimits(2000, PLENTY, more_files="raise to `{0}`")
    (told,) = shortfalls(scenario(TOGETHER), few)
    given = int(told.partition("raise to `")[2].partition("`")[0])
    assert list(shortfalls(scenario(TOGETHER), few._replace(open_files=given))) == []
    (told,) = shortfalls(scenario(TOGETHER), few._replace(open_files=100))
    assert "processes" not in told  # however many there were


def test_local_ports_are_those_of_all_client_addresses() -> None:
    limits = MachineLimits(PLENTY, 1300)
    (told,) = shortfalls(scenario(TOGETHER), limits)
    assert "as many local ports, and there are 1300 from 1 client address" in told
    assert list(shortfalls(scenario(TOGETHER, clients=2), limits)) == []


def test_a_client_that_has_one_director_has_its_part_of_the_ports() -> None:
    by_client = scenario(TOGETHER, clients=2, more=", directors: 2, spread: client")
    (told,) = shortfalls(by_client, MachineLimits(PLENTY, 2400))
    assert "there are 2400 from the client addresses" in told
    assert list(shortfalls(by_client, MachineLimits(PLENTY, 2500))) == []
    by_turns = scenario(TOGETHER, clients=2, more=", directors: 2")
    assert list(shortfalls(by_turns, MachineLimits(PLENTY, 2400))) == []


def test_ports_that_others_have_taken_are_not_there() -> None:
    (told,) = shortfalls(scenario(TOGETHER), MachineLimits(PLENTY, 28_000, taken_ports=26_000))
    assert "there are 2000 from 1 client address to one target; 26000 more are taken" in told


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_connections_to_the_target_take_ports_of_this_machine(host: str) -> None:
    with socket.create_server((host, 0), family=FAMILIES[host]) as server:
        port = server.getsockname()[1]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        assert machine_limits(target=url).taken_ports == 0
        with ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(socket.create_connection((host, port)))
            assert machine_limits(target=url).taken_ports == 3
            # Others' ports are not the machine's: a lab has its own.
            assert machine_limits(own_ports=9, target=url).taken_ports == 0


def test_what_this_machine_has_is_read_and_held_against_the_scenario() -> None:
    found = machine_limits()
    assert found.open_files > 0
    assert 0 < found.local_ports <= 65_536
    assert machine_limits(own_ports=7).local_ports == 7
    with pytest.raises(TestbedError, match=r"scenario many cannot run here: .* there are 7 from"):
        refuse_too_much(scenario(TOGETHER), own_ports=7)
