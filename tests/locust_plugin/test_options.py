"""What a form may say, and what it may not."""

from pathlib import Path
from typing import Any

import pytest

from ipvsload.errors import UsageError
from ipvsload.experiment.controls import Burst, Scale, SetMix, parse_action
from ipvsload.locust_plugin.arguments import Options


@pytest.fixture
def options(tmp_path: Path) -> Options:
    for name in ("skew.yaml", "even.yml", "notes.txt"):
        (tmp_path / name).write_text("")
    return Options(
        testbed="lab",
        scheduler="",
        servers=0,
        clients=0,
        scenario=tmp_path / "skew.yaml",
        hz=10.0,
        out="",
        place={"kernel": "uml", "sidecar": "true"},
    )


def test_a_form_changes_what_is_its_own(options: Options) -> None:
    form = {"scheduler": "lc", "servers": "3", "clients": 2, "scenario": "even"}
    renewed = options.renewed(form)
    assert (renewed.scheduler, renewed.servers, renewed.clients) == ("lc", 3, 2)
    assert options.scenario
    assert renewed.scenario == options.scenario.with_name("even.yml")
    assert options.renewed({}) == options


def test_a_form_names_no_programs_and_no_places(options: Options) -> None:
    form = {"sidecar": "rm -rf /", "out": "/etc", "kernel": "host", "testbed": "external", "hz": 1}
    assert options.renewed(form) == options


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"scheduler": "best"}, "scheduler 'best': one of rr, wrr"),
        ({"scheduler": "iptables"}, "scheduler 'iptables'"),
        ({"servers": "-1"}, "servers '-1': a whole number from 0 to 1000"),
        ({"servers": "1e3"}, "servers '1e3'"),
        ({"clients": "101"}, "a whole number from 0 to 100"),
        ({"scenario": "/etc/passwd"}, "here are even, skew"),
        ({"scenario": "../skew.yaml"}, "here are even, skew"),
        ({"scenario": "notes.txt"}, "here are even, skew"),
        ({"scenario": ""}, "here are even, skew"),
        ({"scenario": "\0"}, "here are even, skew"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(
    form: dict[str, Any], said: str, options: Options
) -> None:
    with pytest.raises(UsageError) as refusal:
        options.renewed(form)
    assert said in str(refusal.value)


def test_actions() -> None:
    assert parse_action({"do": "scale", "servers": 3}) == Scale(do="scale", servers=3)
    assert parse_action({"do": "burst", "seconds": 2}) == Burst(do="burst", seconds=2.0)
    mix = parse_action({"do": "mix", "weights": {"A": 0}})
    assert mix == SetMix(do="mix", weights={"A": 0})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "valid dictionary"),
        ([], "valid dictionary"),
        ({}, "Unable to extract tag"),
        ({"do": "reboot"}, "does not match any of the expected tags"),
        ({"do": "scale"}, "servers: Field required"),
        ({"do": "scale", "servers": "3"}, "servers: Input should be a valid integer"),
        ({"do": "scale", "servers": 0}, "greater than or equal to 1"),
        ({"do": "weight", "server": 1, "weight": 65536}, "less than or equal to 65535"),
        ({"do": "weight", "server": True, "weight": 1}, "server: Input should be a valid integer"),
        ({"do": "scheduler", "scheduler": "rr; reboot"}, "Input should be 'rr'"),
        ({"do": "burst", "requests": 10**6}, "less than or equal to 2000"),
        ({"do": "burst", "seconds": float("nan")}, "seconds"),
        ({"do": "mix", "weights": {}}, "at least 1 item"),
        ({"do": "kill", "server": 1, "also": 2}, "also: Extra inputs are not permitted"),
    ],
)
def test_actions_that_cannot_be(value: object, said: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_action(value)
    assert said in str(refusal.value)
