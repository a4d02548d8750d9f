"""Flags and persistence of somebody's director, set and put back with its scheduler."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.external import director_changes, director_table
from ipvsload.testbed.external.director_restore import restore
from tests.external.fake_director import ONE, TWO, FakeDirector


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(director_table, "_SHOWN_WITHIN", 0.0)
    monkeypatch.setattr(director_changes, "WITHIN_S", 0.0)


@pytest.fixture
def director(tmp_path: Path) -> FakeDirector:
    made = FakeDirector(tmp_path)
    made.set_scheduler += " {options}"
    return made


def test_flags_and_persistence_go_with_the_scheduler(director: FakeDirector) -> None:
    told: list[str] = []
    kept = BalancerSettings(persistence=60)
    by_port = BalancerSettings(flags=("sh-port", "sh-fallback"))
    with closing(director.testbed(tell=told.append)) as testbed:
        assert not {"flags", "persistence"} & set(testbed.lacks)
        testbed.wait_ready()
        testbed.begin(ServiceSpec("rr", (1, 1), settings=kept))
        testbed.end()
        testbed.begin(ServiceSpec("sh", (1, 1), settings=by_port))
        testbed.end()
        testbed.begin(ServiceSpec("sh", (1, 1), settings=by_port))
    assert director.log == [
        "scheduler rr -p 60",
        "scheduler sh -b sh-fallback,sh-port",
        "scheduler rr",
    ]
    assert told == ["tcp 192.0.2.80:80: scheduler rr again"]


def test_a_killed_run_leaves_its_options_to_be_put_back(director: FakeDirector) -> None:
    state = {"scheduler": "sh", "weights": {ONE: 1, TWO: 1}, "options": ["-b", "sh-port"]}
    (director.folder / "state").write_text(json.dumps(state))
    testbed = director.testbed()
    testbed.wait_ready()
    testbed.begin(ServiceSpec("rr", (1, 1), settings=BalancerSettings(persistence=60)))
    assert testbed._changes.journal
    testbed._changes.journal._file.close()
    name = "tcp 192.0.2.80:80 on lb1"
    assert list(restore(print)) == [f"{name}: what that run had changed is put back"]
    assert director.log == ["scheduler rr -p 60", "scheduler sh -b sh-port"]


def test_without_a_place_for_options_they_are_refused(director: FakeDirector) -> None:
    director.set_scheduler = director.set_scheduler.removesuffix(" {options}")
    lacks = director.testbed().lacks
    for capability in ("flags", "persistence"):
        assert "--set-scheduler with {options} in it" in lacks[capability]
