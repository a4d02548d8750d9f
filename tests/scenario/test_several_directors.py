"""`service: directors` and `spread`: what they mean, and what is wrong with them."""

import pytest

from ipvsload.errors import UsageError
from ipvsload.scenario.capabilities import check_capabilities
from ipvsload.scenario.load import ScenarioError, parse_scenario
from ipvsload.scenario.model import Scenario
from ipvsload.testbed.base import LAB_ONLY

TEXT = """\
name: many
schedulers: [lc]
service: {SERVICE}
traffic: {short: {rate: 10, requests: 10}}
timeline: [start: short]
"""


def many(service: str) -> Scenario:
    return parse_scenario(TEXT.replace("SERVICE", service), "t.yaml")


def test_there_is_one_director_and_connections_take_several_in_turn() -> None:
    assert many("servers: 2").service.directors == 1
    assert many("directors: 4").service.spread == "connection"
    assert many("directors: 4, clients: 4, spread: client").service.spread == "client"


@pytest.mark.parametrize(
    ("service", "fault"),
    [
        ("directors: 17", "t.yaml:3:22: 'directors': must be at most 16, found 17"),
        ("directors: 0", "t.yaml:3:22: 'directors': must be at least 1, found 0"),
        (
            "directors: 4, spread: connections",
            "t.yaml:3:33: 'spread': expected client, connection or random, found the text"
            " 'connections'; did you mean 'connection'?",
        ),
        (
            "spread: random",
            "t.yaml:3:11: 'spread' is over several directors, and there is one",
        ),
        (
            "directors: 4, clients: 2, spread: client",
            "t.yaml:3:45: 4 directors and 2 clients: by client, some would have no connections;"
            " give at least as many clients",
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_place(service: str, fault: str) -> None:
    with pytest.raises(ScenarioError) as told:
        many(service)
    assert str(told.value) == fault


def test_a_testbed_whose_directors_are_there_refuses_others() -> None:
    scenario = many("directors: 4")
    check_capabilities(scenario.name, scenario.needs(), {})
    with pytest.raises(UsageError, match="wants `directors: 4`: the directors are those that are"):
        check_capabilities(scenario.name, scenario.needs(), LAB_ONLY)
