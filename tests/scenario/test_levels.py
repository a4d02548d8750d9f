"""A rate and a number of users in stages: how they are written, and what is refused."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.scenario.load import parse_scenario
from ipvsload.scenario.machine_limits import connection_peak
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.stages import Stage, expected, time_of
from tests.scenario.test_scenario_transcript import GOOD, said

SHORT = "short: {users: 5, requests: 100}"
RAMP = {"from": 50, "to": 500, "over": "30s"}


@pytest.mark.parametrize(
    ("rate", "stages"),
    [
        (200, (Stage(200, 200),)),
        (RAMP, (Stage(50, 500, 30),)),
        ([RAMP, {"rate": 500, "over": 10}], (Stage(50, 500, 30), Stage(500, 500, 10))),
        ([RAMP, 500.5], (Stage(50, 500, 30), Stage(500.5, 500.5))),
        ([{"rate": 0, "over": 5}, 1], (Stage(0, 0, 5), Stage(1, 1))),
    ],
)
def test_what_is_written_is_meant_also_by_a_worker(rate: Any, stages: tuple[Stage, ...]) -> None:
    spec = Traffic(rate=rate)
    assert spec.rate_stages == stages
    assert Traffic(**spec.model_dump(exclude_unset=True)) == spec
    assert spec.endless == math.isinf(stages[-1].over)


@pytest.mark.parametrize(
    ("spec", "size", "seconds"),
    [
        ({"users": 1}, "1 user", math.inf),
        ({"users": {"from": 0, "to": 10, "over": "1m"}}, "0 to 10 users", 60),
        ({"users": [{"users": 7, "over": 3}, 2], "duration": 10}, "2 to 7 users", 10),
        ({"rate": RAMP, "duration": 10}, "50 to 500/s", 10),
        ({"rate": RAMP, "duration": 40}, "50 to 500/s", 30),
        ({"rate": 2.5}, "2.5/s", math.inf),
    ],
)
def test_what_comes_first_ends_it(spec: dict[str, Any], size: str, seconds: float) -> None:
    traffic = Traffic(**spec)
    assert (traffic.size, traffic.seconds) == (size, seconds)


@given(
    st.lists(st.builds(Stage, st.integers(0, 9), st.integers(0, 9), st.integers(1, 5)), min_size=1),
    st.floats(0, 0.999),
)
def test_the_time_of_an_arrival_is_that_of_the_integral(stages: list[Stage], part: float) -> None:
    count = expected(stages) * part
    if not count:
        return
    seconds = time_of(stages, count)
    brought, began = 0.0, 0.0
    for stage in stages:
        within = min(max(seconds - began, 0.0), stage.over)
        brought += expected([Stage(stage.start, stage.level(within), within)]) if within else 0.0
        began += stage.over
    assert brought == pytest.approx(count, rel=1e-6, abs=1e-6)
    assert time_of(stages, expected(stages)) == math.inf


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ("rate: {from: 1, to: 5}", "6:17: a stage needs 'over', too"),
        ("rate: {to: 5, over: 1s}", "6:17: a stage needs 'from', too"),
        ("rate: {from: -1, to: 5, over: 1s}", "6:24: expected a number from 0 to 100000"),
        ("rate: {from: 1, to: 5, over: 0s}",
         "6:40: expected a time of more than 0, such as 30s"),
        ("rate: {form: 1, to: 5, over: 1s}", "6:18: unknown key 'form'; did you mean 'from'?"),
        ("rate: {rate: 1, to: 5, over: 1s}", "6:27: 'to' and 'rate' do not go together"),
        ("rate: [5, {rate: 1, over: 1s}]",
         "6:18: this stage would not end; write {rate: 5, over: 10s}, or make it the last one"),
        ("rate: [{rate: 1, over: 1s}, x]",
         "6:39: expected a stage such as {from: 1, to: 50, over: 30s} or {rate: 10, over: 30s}"),
        ("rate: {rate: 0, over: 1s}",
         "6:17: 'rate': rate must be more than 0 in at least one stage, found a mapping"),
        ("rate: []", "6:17: 'rate': rate must be more than 0 in at least one stage, found a list"),
        ("rate: 0", "6:17: 'rate': must be more than 0, found 0"),
        ("users: {from: 1, to: 2.5, over: 1s}", "6:32: expected a whole number from 0 to 100000"),
        ("users: {from: 1, to: 200000, over: 1s}",
         "6:32: expected a whole number from 0 to 100000"),
        ("users: [{from: 1, to: 2, over: 1s}, 3], rate: 3",
         "6:51: 'users' (a closed workload) and 'rate' (an open one) exclude each other; take one "
         "of them away"),
    ],
)  # fmt: skip
def test_what_is_refused(level: str, message: str) -> None:
    assert said(GOOD.replace(SHORT, f"short: {{{level}}}")) == [f"t.yaml:{message}"]


def test_a_wait_beyond_what_stages_bring_is_refused() -> None:
    rate = "short: {rate: [{from: 0, to: 10, over: 2s}, {rate: 10, over: 1s}]}"
    text = GOOD.replace(SHORT, rate).replace("until: done{class=short}", "until: {}")
    good, bad = "requests{class=short} >= 20", "requests{class=short} >= 22"
    assert said(text.replace("until: {}", f"until: {good}")) == []
    [line] = said(text.replace("until: {}", f"until: {bad}"))
    assert "requests{class=short} is at most 21 here" in line
    [line] = said(text.replace("until: {}", "until: done{class=short}\n    within: 2s"))
    assert "'short' takes at least 3 s, and the wait ends after 2 s at most" in line


def test_the_machine_must_hold_the_most_users() -> None:
    users = "short: {users: [{from: 1, to: 40, over: 2s}, 5], duration: 9s}"
    peak = connection_peak(parse_scenario(GOOD.replace(SHORT, users), "t.yaml"))
    assert str(peak) == (
        "up to 50 connections at once ('long' has 10 users and 'short' has 40 users)"
    )
