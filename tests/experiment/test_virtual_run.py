"""The engine of runs in virtual time: it takes no time, and the record is like any other."""

import subprocess
import sys
import time as wall
from collections.abc import Sequence
from pathlib import Path

import pytest

from ipvsload.errors import InvalidRunError, TestbedError
from ipvsload.record.events import ClassDone, RunEnded, StepDone, StepStarted
from ipvsload.record.reader import read
from ipvsload.report.wording import verdict_line
from ipvsload.results.evaluate import evaluate
from ipvsload.scenario.load import parse_scenario
from ipvsload.simulate.model_testbed import ModelTestbed
from ipvsload.testbed.base import ServiceSpec, ServiceUnderTest
from tests.simulate.played import played

SKEW = Path(__file__).parents[2] / "scenarios" / "skew.yaml"


def test_the_skew_scenario_is_played_in_no_time_and_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(_seconds: float) -> None:
        raise AssertionError("a run in virtual time waits for real time")

    monkeypatch.setattr(wall, "sleep", sleep)
    recording, results = played(tmp_path / "run", SKEW.read_text(), repeats=2)
    assert recording.ends == ()
    assert results.verdict == "held"
    assert [run.scheduler for run in recording.runs] == ["lc", "rr", "rr", "lc"]
    assert [column.label for column in results.schedulers] == ["rr", "lc"]
    for run, result in zip(recording.runs, results.runs, strict=True):
        assert result.valid, result.reasons
        assert all(sample.t_us >= run.start_us for sample in run.samples)
        assert result.traffic["long"].latency_ms["p50"] == 10_000.2
        # Ten seconds went by on the run's clock, and the samples have no gap.
        assert 10 <= result.seconds["timeline"] < 10.5
        assert len(run.samples) > 100
        assert len(run.of_type(StepStarted)) == len(run.of_type(StepDone)) == 4
        assert [event.traffic for event in run.of_type(ClassDone)] == ["short", "long"]
        assert run.of_type(RunEnded)[0].complete
    lc, rr = results.runs[:2]
    assert [server.connections for server in rr.servers] == [60, 50]
    assert [server.connections for server in lc.servers] == [10, 100]


def test_a_scheduler_that_is_missing_is_found_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_self: ModelTestbed, balancers: Sequence[str]) -> dict[str, str]:
        return {name: "no module" for name in balancers if name == "lc"}

    monkeypatch.setattr(ModelTestbed, "missing_balancers", missing)
    with pytest.raises(TestbedError, match=r"^nothing was run\. lc: no module$"):
        played(tmp_path / "run", SKEW.read_text())
    recording = read(tmp_path / "run")
    assert recording.runs == ()
    assert recording.ends == (
        "the recording ends before its first run: nothing was run. lc: no module",
    )


def test_what_was_recorded_before_a_failure_keeps_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = ModelTestbed.begin

    def begin_but_lc(self: ModelTestbed, spec: ServiceSpec) -> ServiceUnderTest:
        if spec.balancer == "lc":
            raise TestbedError("no lc today")
        return begin(self, spec)

    monkeypatch.setattr(ModelTestbed, "begin", begin_but_lc)
    with pytest.raises(TestbedError, match="no lc today"):
        played(tmp_path / "run", SKEW.read_text())
    results = evaluate(read(tmp_path / "run"), parse_scenario(SKEW.read_text(), "virtual"))
    assert [(run.scheduler, run.verdict) for run in results.runs] == [
        ("rr", "held"),
        ("lc", "invalid"),
    ]
    assert results.runs[1].reasons == ("no lc today",)
    assert results.verdict == "invalid"
    assert verdict_line(results) == (
        "this recording is not whole; of 2 runs 1 held, 1 did not count"
    )
    assert [summary.scheduler for summary in results.schedulers] == ["rr", "lc"]


def test_a_run_in_virtual_time_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        played(tmp_path / name, SKEW.read_text())
    for file in ("events.ndjson", "samples.ndjson", "requests.columns"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


MISSED = """
name: missed
schedulers: [rr]
traffic: {long: {request: GET /delay/50, users: 3, requests: 3}}
timeline:
  - start: long
    until: done
    within: 40s
"""


FULL = """\
name: full
schedulers: [rr]
service:
  servers: 2
  capacity: {workers: 2}
traffic:
  long: {request: GET /delay/4, users: 6, requests: 6}
timeline:
  - start: long
    until: busy{server=1} == 2 and queue == 2
  - wait: done{class=long}
expect:
  all:
    - queue_max{server=2} == 1
    - busy_max == 4
"""


def test_a_run_waits_for_busy_servers_and_records_those_that_joined(tmp_path: Path) -> None:
    recording, results = played(tmp_path / "run", FULL)
    assert results.verdict == "held", [e for run in results.runs for e in run.expectations]
    (run,) = recording.runs
    saw = next(done.saw for done in run.of_type(StepDone))
    assert saw == "busy{server=1} = 2, queue = 2"
    assert run.occupancy
    for sample in run.occupancy:
        assert [one.address for one in sample.servers] == ["198.51.100.11:80", "198.51.100.12:80"]


def test_a_wait_that_misses_its_deadline_ends_the_steps(tmp_path: Path) -> None:
    recording, results = played(tmp_path / "run", MISSED)
    assert results.verdict == "invalid"
    assert "waited 40 s for done" in results.runs[0].reasons[0]
    assert 40 <= results.runs[0].seconds["timeline"] < 41
    assert len(recording.runs[0].requests) == 3


def test_a_flapping_server_may_die_and_may_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def fault(_self: ModelTestbed, _address: str, fault: str) -> None:
        done.append(fault)

    monkeypatch.setattr(ModelTestbed, "fault_server", fault)
    monkeypatch.setattr(ModelTestbed, "remove_server", lambda *_: None)
    flapping = "- flap: {server: 2, down: 1s, up: 1s, times: 9}\n  - wait: 2500ms\n  - "
    after = "until: done{class=short}"
    for end, last in (("kill: 2", ["kill"]), ("remove: 2", [])):
        done.clear()
        text = SKEW.read_text().replace(after, f"{after}\n  {flapping}{end}\n  - wait: 3s")
        _, results = played(tmp_path / end[:4], text)
        assert [run.reasons for run in results.runs] == [(), ()]
        assert done == ["vanish", "return", "vanish", *last] * 2


def test_an_interruption_in_the_inbox_ends_the_run_and_is_recorded(tmp_path: Path) -> None:
    def interrupt(testbed: ModelTestbed) -> None:
        time = testbed.time
        time.call(30_000_000_000, lambda _: time.put(InvalidRunError("interrupted")))

    with pytest.raises(InvalidRunError, match="interrupted"):
        played(tmp_path / "run", MISSED, before=interrupt)
    recording = read(tmp_path / "run")
    assert evaluate(recording, parse_scenario(MISSED, "virtual")).runs[0].reasons == (
        "interrupted",
    )
    assert recording.runs[0].end_us >= 30_000_000


def test_the_engine_knows_neither_an_event_loop_nor_the_time() -> None:
    script = (
        "import sys; import ipvsload.experiment.session;"
        "print(sorted({'gevent', 'locust', 'kubernetes', 'pyroute2'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
