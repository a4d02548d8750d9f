"""What a scenario can ask for, on the model: what clients see, and what the tables show."""

from collections import Counter
from pathlib import Path

import pytest

from ipvsload.errors import TestbedError
from ipvsload.record.format import Request
from ipvsload.results.results import RunResult
from ipvsload.simulate.model_testbed import ModelTestbed
from tests.simulate.played import played


def run_of(directory: Path, text: str) -> tuple[RunResult, tuple[Request, ...]]:
    """The one run of a scenario, which counts."""
    recording, results = played(directory / "run", f"name: one\n{text}")
    (run,) = results.runs
    assert run.valid, run.reasons
    missed = [one for one in run.expectations if not one.held]
    assert missed == []
    return run, tuple(recording.runs[0].requests)


def errors(run: RunResult, traffic: str = "load") -> dict[str, int]:
    return run.traffic[traffic].errors


FAULT = """
schedulers: [rr]
service: {{servers: 2}}
traffic:
  load: {{request: GET /delay/0.05, rate: 100, duration: 2s, timeout: 1s}}
timeline:
  - start: load
    until: requests >= 50
  {steps}
  - wait: done
"""


@pytest.mark.parametrize(
    ("steps", "seen"),
    [
        ("- kill: 1", {"refused", "reset"}),
        ("- kill: 1\n  - wait: 500ms\n  - restart: 1", {"refused", "reset"}),
        ("- restart: 1", {"reset"}),
        ("- freeze: 1", {"timeout"}),
        ("- freeze: 1\n  - wait: 300ms\n  - thaw: 1", set()),
        ("- vanish: 1", {"timeout"}),
        ("- vanish: 1\n  - wait: 200ms\n  - return: 1", set()),
        ("- slow: {server: 1, speed: 0.01}", {"timeout"}),
        ("- slow: {server: 1, speed: 0.5}", set()),
    ],
)
def test_what_befalls_a_server_is_what_its_clients_see(
    steps: str, seen: set[str], tmp_path: Path
) -> None:
    text = FAULT.format(steps=steps)
    if "return" in steps:
        text = text.replace("timeout: 1s", "timeout: 5s")
    run, requests = run_of(tmp_path, text)
    assert set(errors(run)) == seen
    assert {one.server for one in requests if one.failed} <= {"198.51.100.11:80"}
    assert len(requests) == 200
    # Turns are taken whatever befalls.
    assert [server.connections for server in run.servers] == [100, 100]


def test_a_syn_that_was_lost_is_sent_again_after_a_second(tmp_path: Path) -> None:
    text = FAULT.format(steps="- vanish: 1\n  - wait: 200ms\n  - return: 1")
    run, requests = run_of(tmp_path, text.replace("timeout: 1s", "timeout: 5s"))
    again = [one.latency_us for one in requests if one.latency_us > 1_000_000]
    assert again
    assert all(took == pytest.approx(1_050_200) for took in again)
    assert any(f"{len(again)} TCP retransmission timeouts" in note for note in run.notes)


def test_a_flapping_server_goes_and_comes(tmp_path: Path) -> None:
    text = FAULT.format(steps="- flap: {server: 1, down: 200ms, up: 200ms, times: 3}")
    run, _ = run_of(tmp_path, text.replace("timeout: 1s", "timeout: 150ms"))
    assert set(errors(run)) == {"timeout"}
    assert run.traffic["load"].failures < 60


def test_a_queue_that_is_full_answers_503_or_resets(tmp_path: Path) -> None:
    text = """
schedulers: [rr]
service: {servers: 1, capacity: {workers: 1, queue: 2, overflow: %s}}
traffic: {load: {request: GET /delay/1, users: 5, requests: 5}}
timeline: [{start: load, until: done}]
"""
    for overflow, kind in (("503", "status 503"), ("refuse", "reset")):
        run, requests = run_of(tmp_path / overflow, text % overflow)
        assert errors(run) == {kind: 2}
        served = sorted(one.latency_us for one in requests if not one.failed)
        assert served == [1_000_200, 2_000_200, 3_000_200]
        assert run.servers[0].queue_max == 2


def test_weights_and_removal_take_effect(tmp_path: Path) -> None:
    text = """
schedulers: [wrr]
service: {servers: 2, weights: [3, 1]}
traffic:
  first: {rate: 100, requests: 40}
  second: {rate: 100, requests: 40}
  third: {rate: 100, requests: 40}
timeline:
  - {start: first, until: "done{class=first}"}
  - reweigh: {server: 1, weight: 1}
  - {start: second, until: "done{class=second}"}
  - {remove: 1, until: servers == 1}
  - {start: third, until: "done{class=third}"}
"""
    run, _ = run_of(tmp_path, text)
    assert [list(server.requests.values()) for server in run.servers] == [[30, 20, 0], [10, 20, 40]]


def test_another_scheduler_is_set_in_the_middle(tmp_path: Path) -> None:
    text = """
name: one
schedulers: [fo]
service: {servers: 2, weights: [3, 1]}
traffic: {load: {rate: 100, requests: 100}}
timeline: [{start: load, until: done}]
"""

    def change(testbed: ModelTestbed) -> None:
        testbed.time.call(500_000_000, lambda _: testbed.set_balancer("rr"))

    recording, _ = played(tmp_path / "run", text, before=change)
    servers = [one.server for one in recording.runs[0].requests]
    assert servers[:40] == ["198.51.100.11:80"] * 40
    assert servers[60:-2] == servers[62:]
    assert set(servers[60:62]) == {"198.51.100.11:80", "198.51.100.12:80"}
    assert recording.runs[0].samples[-1].services[0].scheduler == "rr"


def test_without_a_server_the_director_refuses(tmp_path: Path) -> None:
    text = """
schedulers: [sh]
service: {servers: 2, weights: [0, 0]}
traffic: {load: {users: 1, requests: 3}}
timeline: [{start: load, until: done}]
"""
    run, _ = run_of(tmp_path, text)
    assert errors(run) == {"refused": 3}
    assert run.traffic["load"].refused_by == {"no server": 3}


KEPT = """
schedulers: [{scheduler: rr, label: one, timeouts: {tcp: 2s}}]
service: {servers: 2}
traffic:
  load: {users: 2, requests: 12, connection: %s, think: %s}
timeline: [{start: load, until: done}]
"""


def test_kept_connections_live_as_long_as_they_are_said_to(tmp_path: Path) -> None:
    for kind, opened in (("keep-alive", 2), ("{keep-alive: 2 requests}", 6), ("new", 12)):
        _, requests = run_of(tmp_path / str(opened), KEPT % (kind, "100ms"))
        assert sum(not one.reused for one in requests) == opened
        ports = Counter(one.port for one in requests)
        assert len(ports) == opened
    _, requests = run_of(tmp_path / "seconds", KEPT % ("{keep-alive: 300ms}", "120ms"))
    assert sum(not one.reused for one in requests) == 4


def test_what_ipvs_has_forgotten_is_sent_again(tmp_path: Path) -> None:
    run, requests = run_of(tmp_path, KEPT % ("keep-alive", "3s"))
    again = [one for one in requests if one.untaken]
    assert [(one.untaken, one.retried) for one in again] == [("reset", 1)] * 10
    assert all(one.idle_us == pytest.approx(3_000_000) for one in again)
    assert run.traffic["load"].failures == 0
    text = (KEPT % ("keep-alive", "3s")).replace("think:", "retry: false, think:")
    run, _ = run_of(tmp_path / "failing", text)
    assert errors(run) == {"reset": 6}


@pytest.mark.parametrize("spread", ["client", "connection", "random"])
def test_each_director_knows_its_own_connections(spread: str, tmp_path: Path) -> None:
    text = f"""
schedulers: [lc]
service: {{servers: 2, clients: 4, directors: 2, spread: {spread}}}
traffic: {{load: {{request: GET /delay/1, rate: 100, requests: 100}}}}
timeline: [{{start: load, until: done}}]
"""
    run, requests = run_of(tmp_path, text)
    through = Counter(one.director for one in requests)
    assert set(through) == {1, 2}
    if spread != "random":
        assert through[1] == through[2] == 50
    assert len(run.directors) == 2


def test_users_and_rates_in_stages_and_another_family(tmp_path: Path) -> None:
    text = """
schedulers: [rr]
service: {servers: 2, family: ipv6, source-ports: random}
traffic:
  load: {users: [{users: 1, over: 1s}, {users: 4, over: 1s}, {users: 2, over: 1s}], think: 100ms}
  open: {rate: {from: 10, to: 50, over: 2s}, arrivals: poisson}
timeline: [{start: [load, open], until: done}]
"""
    run, requests = run_of(tmp_path, text)
    assert run.servers[0].address == "[2001:db8:2::11]:80"
    assert {one.client for one in requests} == {"2001:db8:1::101"}
    seconds = Counter((one.start_us - requests[0].start_us) // 1_000_000
                      for one in requests if one.traffic == "load")  # fmt: skip
    assert [seconds[n] for n in range(3)] == [10, 40, 20]


def test_a_sysctl_that_the_model_does_not_follow_is_refused(tmp_path: Path) -> None:
    text = KEPT % ("new", "1ms")
    with pytest.raises(TestbedError, match="does not follow the sysctl conn_max"):
        run_of(tmp_path, text.replace("timeouts: {tcp: 2s}", "sysctls: {conn_max: 5}"))
