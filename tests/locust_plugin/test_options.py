"""What a form may say, and what it may not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import configargparse  # type: ignore[import-untyped]
import pytest

from ipvsload.errors import UsageError
from ipvsload.locust_plugin.arguments import Options, add_arguments, read


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
        testbed_options={"kernel": "uml", "sidecar": "true"},
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


def test_a_form_has_ours_by_the_prefixed_name_where_the_other_is_somebody_elses(
    options: Options,
) -> None:
    shared = replace(options, form_names={"servers": "ipvsload_servers"})
    renewed = shared.renewed({"servers": "north", "ipvsload_servers": "3", "scheduler": "lc"})
    assert (renewed.servers, renewed.scheduler) == (3, "lc")


def test_what_the_environment_says_of_other_testbeds_is_not_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It is also where the lab finds its director's image.
    monkeypatch.setenv("IPVSLOAD_IMAGE", "build/iso-trixie")
    parser = configargparse.ArgumentParser()  # as Locust's is; importing that patches the process
    add_arguments(parser, None)
    parser.add_argument("--host")
    assert read(parser.parse_args([]), plays_scenario=False).testbed == "lab"
    monkeypatch.delenv("IPVSLOAD_IMAGE")
    with pytest.raises(UsageError, match="--image is an option of --testbed kubernetes"):
        read(parser.parse_args(["--image", "httpbin"]), plays_scenario=False)


def test_a_form_may_name_a_label_of_its_scenario(options: Options) -> None:
    assert options.scenario
    options.scenario.write_text(
        "name: t\nschedulers: [rr, {label: by-port, scheduler: sh, flags: [sh-port]}]\n"
        "traffic: {short: {users: 1, requests: 1}}\n"
        "timeline: [{start: short}, {wait: done}]\n"
    )
    assert options.renewed({"scheduler": "by-port"}).scheduler == "by-port"
    with pytest.raises(UsageError, match="scheduler 'by-prt': one of rr, by-port, wrr"):
        options.renewed({"scheduler": "by-prt"})
    with pytest.raises(UsageError, match="scheduler 'by-port'"):
        options.renewed({"scheduler": "by-port", "scenario": "even"})
