"""What each real server can do at once, as a scenario says it."""

import pytest

from ipvsload.scenario.load import ScenarioError, parse_scenario

TEXT = """name: t
schedulers: [rr]
service:
  servers: 2
  capacity: {CAPACITY}
traffic:
  a: {{rate: 5, requests: 10}}
timeline:
  - start: a
  - scale: 3
"""


@pytest.mark.parametrize(
    ("capacity", "problem"),
    [
        ("{workers: 8, speed: 0}", "5:33: 'speed': must be at least 0.001, found 0"),
        ("{workers: 8, speed: [1, 0, 1]}", "5:37: 'speed': must be at least 0.001, found 0"),
        ("{workers: 8, speed: [1, -2, 1]}", "5:37: 'speed': must be at least 0.001, found -2"),
        (
            "{workers: 8, speed: [1, 1]}",
            "5:33: 2 speeds for 3 servers that join; give each one, or one number for all",
        ),
        ("{workers: 8, speed: [1, 1, 1, 1]}", "5:33: 4 speeds for 3 servers that join"),
        ("{workers: 8, speed: []}", "5:26: 'speed' is empty; give at least one"),
        ("{workers: 8, speed: 1000000}", "5:33: 'speed': must be at most 1000, found 1000000"),
        (
            "{workers: 8, speed: fast}",
            "5:33: 'speed': expected a number, or a list with one for each server, found the text"
            " 'fast'",
        ),
        (
            "{workers: 8, speed: true}",
            "5:33: 'speed': expected a number, or a list with one for each server, found true",
        ),
        ("{workers: 0}", "5:23: 'workers': must be at least 1, found 0"),
        ("{workers: 1.5}", "5:23: 'workers': expected a whole number, found 1.5"),
        ("{queue: 3}", "5:3: the key 'workers' is missing"),
        ("{worker: 8}", "5:14: unknown key 'worker'; did you mean 'workers'?"),
        ("{workers: 8, queue: -1}", "5:33: 'queue': must be at least 0, found -1"),
        ("{workers: 8, overflow: 504}", "5:36: 'overflow': expected 503 or refuse, found 504"),
        (
            "{workers: 8, overflow: reset}",
            "5:36: 'overflow': expected 503 or refuse, found the text 'reset'",
        ),
        ("8", "5:13: 'capacity': expected a mapping, found 8"),
    ],
)
def test_what_no_server_can_be_is_said_with_its_place(capacity: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(TEXT.format(CAPACITY=capacity), "t.yaml")
    assert f"t.yaml:{problem}" in str(caught.value)


def test_one_speed_is_that_of_all_servers_and_a_list_is_in_the_order_of_joining() -> None:
    def speeds(text: str) -> list[float]:
        found = parse_scenario(TEXT.format(CAPACITY=text), "t.yaml").service.capacity
        assert found is not None
        return [found.speed_of(number) for number in (1, 2, 3, 4)]

    assert speeds("{workers: 8}") == [1, 1, 1, 1]
    assert speeds("{workers: 8, speed: 0.5}") == [0.5] * 4
    # The fourth is one that a person added on the page.
    assert speeds("{workers: 8, speed: [1, 0.5, 2]}") == [1, 0.5, 2, 1]
