"""The registry of actions, and what the page may ask for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.errors import UsageError
from ipvsload.scenario import actions
from ipvsload.scenario.actions import ACTIONS, PAGE_ACTIONS, SCENARIO_ACTIONS, parse_control
from ipvsload.scenario.actions.base import Action
from ipvsload.scenario.actions.burst import Burst
from ipvsload.scenario.actions.kill import Kill
from ipvsload.scenario.actions.remove import Remove
from ipvsload.scenario.actions.return_server import Return
from ipvsload.scenario.actions.reweigh import Reweigh
from ipvsload.scenario.actions.scale import Scale
from ipvsload.scenario.actions.set_mix import SetMix
from ipvsload.scenario.actions.set_scheduler import SetScheduler
from ipvsload.scenario.actions.slow import Slow
from ipvsload.scenario.actions.start import Start
from ipvsload.scenario.actions.stop import Stop
from ipvsload.scenario.actions.wait import Wait


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
        ({}, '"do" is missing or no text; the actions are scale, '),
        ({"do": 1}, '"do" is missing'),
        ({"do": "start", "classes": ["a"]}, "no action 'start'; "),
        ({"do": "reboot"}, "no action 'reboot'; the actions are scale, "),
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


def test_the_order_of_the_actions() -> None:
    """That of every message and of the schema; others may stand between them."""
    steps = ["start", "stop", "scale", "reweigh", "remove", "kill", "wait"]
    controls = ["scale", "reweigh", "kill", "set_scheduler", "burst", "set_mix"]
    assert [key for key in SCENARIO_ACTIONS if key in steps] == steps
    assert [key for key in PAGE_ACTIONS if key in controls] == controls
    assert all(action.__doc__ for action in SCENARIO_ACTIONS.values())


class Recorder:
    """A target that notes what it is asked to do, whatever that is."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        def note(*values: Any) -> Mapping[str, int]:
            self.calls.append((name, *values))
            return {"Long": 4, "Short": 9}

        return note


@pytest.mark.parametrize(
    ("action", "calls", "words"),
    [
        (Start(classes=("a", "b")), [("start", "a"), ("start", "b")], "start a, b"),
        (Stop(classes=("a",)), [("stop", "a")], "stop a"),
        (Scale(servers=3), [("scale", 3)], "scale to 3"),
        (Reweigh(server=2, weight=0), [("reweigh", 2, 0)], "server 2: weight 0"),
        (Remove(server=2), [("remove", 2)], "remove server 2"),
        (Kill(server=2), [("fault", 2, "kill")], "kill server 2"),
        (Return(server=2), [("fault", 2, "return")], "return server 2"),
        (Slow(server=2, speed=0.1), [("set_speed", 2, 0.1)], "server 2: speed 0.1"),
        (Wait(event=0.5), [], "wait 0.5 s"),
        (SetScheduler(scheduler="lc"), [("set_scheduler", "lc")], "scheduler lc"),
        (Burst(requests=3, seconds=0.5), [("burst", 3, 0.5)], "burst of 3 x 0.5 s"),
        # The words have all weights, also those that were not changed.
        (SetMix(weights={"Long": 4}), [("set_mix", {"Long": 4})], "mix Long 4, Short 9"),
    ],
)
def test_what_an_action_does_and_says(
    action: Action, calls: list[tuple[Any, ...]], words: str
) -> None:
    target = Recorder()
    assert action.carry_out(target) == words
    assert target.calls == calls


def test_a_file_of_the_folder_is_an_action() -> None:
    files = {path.stem for path in Path(actions.__file__).parent.glob("*.py")}
    keys = set(ACTIONS) - {"return"} | {"return_server"}  # a word of Python
    assert files - {"__init__", "base"} == keys


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
