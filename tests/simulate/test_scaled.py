"""A scenario that is scaled up before it is simulated."""

import json
from pathlib import Path

import pytest

from ipvsload.errors import UsageError
from ipvsload.scenario.load import parse_scenario
from ipvsload.scenario.scaled import ScaledBy, scaled
from tests.simulate.test_simulate import SCENARIOS, simulate

WIDE = """
name: wide
schedulers: [wrr]
service: {servers: 2, weights: [3, 1], clients: 2, capacity: {workers: 2, speed: [3, 1]}}
traffic:
  open: {rate: {from: 1, to: 2, over: 1s}}
  closed: {users: 1, requests: 1}
timeline:
  - start: [open, closed]
    until: done
"""


def test_servers_and_what_is_sent_are_multiplied_alike() -> None:
    wide = scaled(parse_scenario(WIDE, "wide"), ScaledBy(servers=6))
    assert wide.service.servers == 6
    assert wide.service.weights == (3, 1, 3, 1, 3, 1)
    assert wide.service.clients == 6
    assert wide.service.capacity is not None
    assert wide.service.capacity.speed == (3, 1, 3, 1, 3, 1)
    assert [(one.start, one.end) for one in wide.traffic["open"].rate_stages] == [(3, 6)]
    assert (wide.traffic["closed"].users, wide.traffic["closed"].requests) == (3, 3)


def test_what_cannot_be_scaled_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="`weights` has one entry for each of 2 servers"):
        scaled(parse_scenario(WIDE, "wide"), ScaledBy(servers=5))
    skew = parse_scenario((SCENARIOS / "skew.yaml").read_text(), "skew")
    with pytest.raises(UsageError, match="the timeline has `scale to 2`"):
        scaled(skew, ScaledBy(servers=5))
    waits = WIDE.replace("until: done", 'until: "servers == 2"')
    with pytest.raises(UsageError, match=r"--servers 4: .*servers"):
        scaled(parse_scenario(waits, "waits"), ScaledBy(servers=4))


def test_a_scaled_scenario_is_reported_as_it_was_simulated(tmp_path: Path) -> None:
    (tmp_path / "wide.yaml").write_text(WIDE)
    options = "--servers", "302", "--directors", "3", "--seed", "5"
    done = simulate("wide.yaml", *options, "--out", "out", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (run,) = json.loads((tmp_path / "out" / "results.json").read_text())["runs"]
    assert (run["valid"], len(run["servers"])) == (True, 302), run["reasons"]
    assert run["traffic"]["closed"]["requests"] == 151
    assert len(run["directors"]) == 3
    told = "simulated with --servers 302 --directors 3 --seed 5, not as the file says"
    assert told in run["notes"]
    assert simulate("wide.yaml", *options, "--out", "out", cwd=tmp_path).returncode == 2
