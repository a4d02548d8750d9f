"""The registry of actions, and what the page may ask for."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.errors import UsageError
from ipvsload.scenario import actions
from ipvsload.scenario.actions import ACTIONS, PAGE_ACTIONS, SCENARIO_ACTIONS, parse_control
from ipvsload.scenario.actions.burst import Burst
from ipvsload.scenario.actions.scale import Scale
from ipvsload.scenario.actions.set_mix import SetMix


def test_actions() -> None:
    assert parse_control({"do": "scale", "servers": 3}) == Scale(servers=3)
    assert parse_control({"do": "burst", "seconds": 2}) == Burst(seconds=2.0)
    mix = parse_control({"do": "set_mix", "weights": {"A": 0}})
    assert mix == SetMix(weights={"A": 0})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "valid dictionary"),
        ([], "valid dictionary"),
        (
            {},
            '"do" is missing or no text; the actions are scale, reweigh, kill, set_sch',
        ),
        ({"do": 1}, '"do" is missing'),
        ({"do": "start", "classes": ["a"]}, "no action 'start'; "),
        (
            {"do": "reboot"},
            "no action 'reboot'; the actions are scale, reweigh, kill, ",
        ),
        ({"do": "scale"}, "servers: Field required"),
        ({"do": "scale", "servers": "3"}, "servers: Input should be a valid integer"),
        ({"do": "scale", "servers": 0}, "greater than or equal to 1"),
        ({"do": "reweigh", "server": 1, "weight": 65536}, "less than or equal to 65535"),
        ({"do": "reweigh", "server": True, "weight": 1}, "server: Input should be a valid integer"),
        ({"do": "set_scheduler", "scheduler": "rr; reboot"}, "Input should be 'rr'"),
        ({"do": "burst", "requests": 10**6}, "less than or equal to 2000"),
        ({"do": "burst", "seconds": float("nan")}, "seconds"),
        ({"do": "set_mix", "weights": {}}, "at least 1 item"),
        ({"do": "kill", "server": 1, "also": 2}, "also: Extra inputs are not permitted"),
    ],
)
def test_actions_that_cannot_be(value: object, said: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_control(value)
    assert said in str(refusal.value)


def test_the_actions_of_scenarios_and_those_of_the_page() -> None:
    """In the order of every message and of the schema."""
    assert list(SCENARIO_ACTIONS) == ["start", "stop", "scale", "reweigh", "remove", "kill", "wait"]
    page = ["scale", "reweigh", "kill", "set_scheduler", "burst", "set_mix"]
    assert list(PAGE_ACTIONS) == page
    assert all(action.meaning for action in SCENARIO_ACTIONS.values())


def test_a_file_of_the_folder_is_an_action() -> None:
    files = {path.stem for path in Path(actions.__file__).parent.glob("*.py")}
    assert files - {"__init__", "base"} == set(ACTIONS)


controls = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    controls
    | st.fixed_dictionaries(
        {"do": st.sampled_from([*ACTIONS])},
        optional={"server": controls, "weight": controls, "servers": controls, "weights": controls},
    )
)
def test_arbitrary_json_is_an_action_of_the_page_or_a_usage_error(value: object) -> None:
    try:
        action = parse_control(value)
    except UsageError:
        return
    assert action.on_page
    assert action.describe()
