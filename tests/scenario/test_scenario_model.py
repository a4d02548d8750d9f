"""Durations and steps: the small parts of the model that others build on."""

import pytest
from pydantic import ValidationError

from ipvsload.scenario.actions.reweigh import Reweigh
from ipvsload.scenario.duration import seconds
from ipvsload.scenario.expression import Condition, parse
from ipvsload.scenario.model import Step, Traffic


@pytest.mark.parametrize(
    ("value", "expected"),
    [("500ms", 0.5), ("10s", 10.0), ("2m", 120.0), ("1.5s", 1.5), ("24h", 86400.0), (3, 3.0),
     (0, 0.0), (0.25, 0.25)],
)  # fmt: skip
def test_times(value: object, expected: float) -> None:
    assert seconds(value) == expected


@pytest.mark.parametrize(
    "value",
    ["", "10", "s", "-1s", "1.s", "1 s", "10 sec", "1e3s", "25h", "nan", "\u0661s", -1, 86401, True,
     float("nan"), float("inf"), 10**400, None, [1]],
)  # fmt: skip
def test_what_is_no_time(value: object) -> None:
    with pytest.raises(ValueError, match="time"):
        seconds(value)


def test_a_step_says_what_it_does_and_what_it_waits_for() -> None:
    done = parse("done")
    cases: list[tuple[Step, str, str, Condition | float | None]] = [
        (Step(start=("long",), until=done), "start", "start long", done),
        (Step(start=("long", "short")), "start", "start long, short", None),
        (Step(stop=("long",)), "stop", "stop long", None),
        (Step(scale=2), "scale", "scale to 2", None),
        (Step(reweigh=Reweigh(server=1, weight=0)), "reweigh", "server 1: weight 0", None),
        (Step(remove=1), "remove", "remove server 1", None),
        (Step(kill=2), "kill", "kill server 2", None),
        (Step(wait=2.5), "wait", "wait 2.5 s", 2.5),
        (Step(wait=0.0), "wait", "wait 0 s", 0.0),
        (Step(wait=done), "wait", "wait for done", done),
    ]
    for step, action, text, awaited in cases:
        assert (step.action.key, step.action.describe(), step.awaited) == (action, text, awaited)


def test_yaml_lists_become_tuples_and_nothing_else_is_converted() -> None:
    step = Step.model_validate({"start": ["a", "b"], "until": "done", "within": "1m"})
    assert step.start == ("a", "b")
    assert step.until == parse("done")
    assert step.within == 60.0
    assert Step.model_validate({"start": "a"}).start == ("a",)
    assert Traffic.model_validate({"rate": 5}).rate == 5.0
    for bad in ({"users": True}, {"users": "1"}, {"users": 1.0}, {"rate": "1"}, {"rate": False}):
        with pytest.raises(ValidationError):
            Traffic.model_validate(bad)
