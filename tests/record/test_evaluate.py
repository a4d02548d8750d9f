"""The verdict and its numbers, from recordings with one thing changed in each."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ipvsload.record.events import DirectorSettings, Event, RunEnded, RunInvalid, RunPlanned
from ipvsload.record.format import NO_SERVER
from ipvsload.record.reader import RecordedRun, Recording, read
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario
from tests.request_edits import change_each, edited
from tests.skew_recording import ONE, SCENARIO, TWO, write_skew

Change = Callable[[RecordedRun], None]


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return read(write_skew(tmp_path / "run"))


def results(recording: Recording, text: str = SCENARIO) -> Results:
    return evaluate(recording, parse_scenario(text, "skew.yaml"))


def expecting(*expressions: str, key: str = "all") -> str:
    lines = "".join(f"    - {json.dumps(expression)}\n" for expression in expressions)
    return SCENARIO[: SCENARIO.index("expect:")] + f"expect:\n  {key}:\n{lines}"


def test_skew_holds_with_its_numbers(recording: Recording) -> None:
    found = results(recording)
    assert found.verdict == "held"
    assert found.exit_status == 0
    rr, lc = found.runs
    assert [s.address for s in rr.servers] == [ONE, TWO]
    assert [s.requests for s in rr.servers] == [{"long": 10, "short": 50}, {"long": 0, "short": 50}]
    assert [s.requests for s in lc.servers] == [{"long": 10, "short": 0}, {"long": 0, "short": 100}]
    assert [s.connections for s in lc.servers] == [10, 100]
    assert lc.servers[0].active_max == 10
    assert lc.traffic["short"].requests == 100
    assert lc.traffic["short"].failures == 0
    assert lc.seconds == {"setup": 3.1, "timeline": 4.3, "teardown": 0.3}
    assert (rr.valid, rr.reasons) == (True, ())


def test_latencies_are_exact_and_in_milliseconds(recording: Recording) -> None:
    exact = sorted(r.latency_us for r in recording.runs[1].requests if r.traffic == "short")
    latency = results(recording).runs[1].traffic["short"].latency_ms
    assert latency["p50"] == exact[49] / 1000
    assert latency["p99"] == exact[98] / 1000
    assert latency["max"] == exact[-1] / 1000
    assert latency["mean"] == pytest.approx(sum(exact) / 100 / 1000)


def test_results_json_is_as_the_contract_has_it(recording: Recording) -> None:
    found = json.loads(json.dumps(results(recording).to_json()))
    assert found["scenario"] == "skew"
    assert found["verdict"] == "held"
    run = found["runs"][1]
    assert (run["scheduler"], run["repeat"], run["valid"], run["reasons"]) == ("lc", 1, True, [])
    assert run["kernel"] == {"release": "6.1.0", "provider": "uml"}
    known = {
        "address": ONE, "weight": 1, "connections": 10, "requests": {"long": 10, "short": 0},
        "active_max": 10, "inactive_max": 10, "failures": {"long": 0, "short": 0},
    }  # fmt: skip
    assert run["servers"][0] == {**run["servers"][0], **known}
    short = run["traffic"]["short"]
    assert (short["errors"], short["refused_by"], short["retried"]) == ({}, {}, 0)
    assert {"p50", "p95", "p99", "max"} <= run["traffic"]["short"]["latency_ms"].keys()
    assert run["expectations"][1] == {
        "expression": "requests{class=short,server=1} == 0", "measured": 0, "held": True,
        "reason": None,
    }  # fmt: skip


def test_what_does_not_hold_fails_with_what_was_measured(recording: Recording) -> None:
    found = results(recording, expecting("requests{class=short,server=1} == 0"))
    assert (found.verdict, found.exit_status) == ("failed", 1)
    assert [(e.held, e.measured) for run in found.runs for e in run.expectations] == [
        (False, 50),
        (True, 0),
    ]


def test_a_measure_without_data_does_not_hold_and_says_why(recording: Recording) -> None:
    found = results(recording, expecting("latency_p95{class=short,server=1} < 100ms"))
    rr, lc = (run.expectations[0] for run in found.runs)
    assert rr.held
    assert (lc.held, lc.measured) == (False, None)
    assert lc.reason == "no short requests answered by server 1"


def drop(run: RecordedRun, event_type: type[Event]) -> None:
    run.events = [event for event in run.events if not isinstance(event, event_type)]


def invalid(run: RecordedRun) -> None:
    run.events.append(RunInvalid(1, 0, "the CPU was full"))


def unknown_server(run: RecordedRun) -> None:
    with edited(run) as requests:
        requests[0] = requests[0]._replace(server=None)


def reuse(run: RecordedRun) -> None:
    with edited(run) as requests:
        i = next(i for i, r in enumerate(requests) if r.server == TWO)
        requests[i] = requests[i]._replace(reused=True)


def lose(run: RecordedRun) -> None:
    with edited(run) as requests:
        requests.pop()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (invalid, "the CPU was full"),
        (lambda run: drop(run, RunEnded), "the run was not finished"),
        (lambda run: run.samples.clear(), "no samples"),
        (lambda run: run.samples.__delitem__(slice(10, 30)), "between 0.9 s and 3.0 s"),
        (lose, "9 of 10 requests are recorded"),
        (unknown_server, "1 answered"),
        (reuse, f"{TWO}: the kernel counted 50 connections, the generator opened 49"),
    ],
)
def test_a_run_that_does_not_count_says_why(
    recording: Recording, change: Change, reason: str
) -> None:
    change(recording.runs[0])
    found = results(recording)
    assert (found.verdict, found.exit_status) == ("invalid", 4)
    assert not found.runs[0].valid
    assert any(reason in line for line in found.runs[0].reasons), found.runs[0].reasons
    assert found.runs[1].valid


def test_a_connection_that_failed_unseen_may_be_in_the_kernels_count_or_not(
    recording: Recording,
) -> None:
    run = recording.runs[0]
    with edited(run) as requests:
        requests[0] = requests[0]._replace(server=NO_SERVER, status=0, error="reset")
    found = results(recording)
    assert found.runs[0].valid
    assert found.runs[0].traffic["short"].failures == 1
    assert found.runs[0].traffic["short"].errors == {"reset": 1}
    assert found.verdict == "failed"
    assert "the director gave them to none, or has forgotten" in found.runs[0].notes[0]


@pytest.mark.parametrize(
    ("mode", "persistent", "valid"), [(0, 0, True), (1, 0, False), (1, 60, True)]
)
def test_of_a_port_that_came_again_the_kernel_may_count_the_first_connection_alone(
    recording: Recording, mode: int, persistent: int, valid: bool
) -> None:
    run = recording.runs[0]
    for place, one in enumerate(run.samples):
        services = (s._replace(persistent_timeout=persistent) for s in one.services)
        run.samples[place] = replace(one, services=tuple(services))
    run.baseline = {**run.baseline, TWO: run.baseline.get(TWO, 0) + 1}
    with edited(run) as requests:
        first, second, *_ = (i for i, r in enumerate(requests) if r.server == TWO)
        requests[second] = requests[second]._replace(
            client=requests[first].client, port=requests[first].port
        )
    run.events.append(DirectorSettings(1, 0, "director", {}, {"conn_reuse_mode": mode}))
    found = results(recording).runs[0]
    assert found.valid == valid, found.reasons


def test_a_failed_request_whose_server_nobody_asked_for_was_not_given_to_none(
    recording: Recording,
) -> None:
    run = recording.runs[0]
    with edited(run) as requests:
        requests[0] = requests[0]._replace(server=None, status=0, error="reset")
    run.events.insert(0, RunPlanned(run.number, run.start_us, "rr", 1))
    assert "the director was not asked to which it gave" in results(recording).runs[0].notes[0]


def test_where_servers_cannot_be_known_they_are_null_and_the_run_counts(tmp_path: Path) -> None:
    recording = read(write_skew(tmp_path / "run", provider="node"))
    for run in recording.runs:
        change_each(run, lambda r: r._replace(server=None))
    found = results(recording, expecting("share{class=short,server=1} == 0"))
    result = found.runs[1]
    assert result.valid
    assert result.servers[0].requests == {"long": None, "short": None}
    assert "which server answered is not known for 100 requests" in result.notes[1]
    assert result.expectations[0].reason == "the server of some short requests is not known"
    assert result.servers[0].connections == 10


@pytest.mark.parametrize(
    ("provider", "told", "exclusive"),
    [
        *(("uml", None, True), ("anything", None, True), ("node", None, False)),
        *(("node", True, True), ("uml", False, False)),
    ],
)
def test_an_exclusive_testbed_is_recorded_and_in_early_records_known_by_its_kernel(
    provider: str, told: bool | None, exclusive: bool, tmp_path: Path
) -> None:
    written = write_skew(tmp_path / "run", provider=provider, exclusive=told)
    assert ('"exclusive"' in (written / "events.ndjson").read_text()) == (told is not None)
    recording = read(written)
    assert [run.exclusive for run in recording.runs] == [exclusive] * 2
    for run in recording.runs:
        change_each(run, lambda r: r._replace(server=None))
    reasons = [reason for run in results(recording).runs for reason in run.reasons]
    assert ("100 answered short requests have no known server" in reasons) == exclusive


def test_a_server_that_left_is_counted_to_its_last_connection(recording: Recording) -> None:
    run = recording.runs[1]
    leaving = [s for s in run.samples if s.t_us > run.start_us + 2_500_000]
    for sample in leaving:
        (service,) = sample.services
        fewer = service._replace(servers=service.servers[:1])
        run.samples[run.samples.index(sample)] = replace(sample, services=(fewer,))
    found = results(recording).runs[1]
    assert found.valid
    assert found.servers[1].connections == 100


def test_comparisons_are_over_medians_of_the_repeats(tmp_path: Path) -> None:
    recording = read(write_skew(tmp_path / "run", repeats=3))
    text = expecting(
        "requests{class=short,server=1,scheduler=lc} < requests{class=short,server=1,scheduler=rr}",
        key="compare",
    )
    found = results(recording, text)
    assert [(e.held, e.measured) for e in found.comparisons] == [(True, 0)]
    assert [(s.scheduler, s.repeats, s.valid) for s in found.schedulers] == [
        ("rr", 3, 3),
        ("lc", 3, 3),
    ]
    rr = found.schedulers[0]
    spread = rr.traffic["short"].latency_ms["p50"]
    each = [run.traffic["short"].latency_ms["p50"] for run in found.runs if run.scheduler == "rr"]
    assert spread is not None
    known = [value for value in each if value is not None]
    assert sorted([spread.min, spread.median, spread.max]) == sorted(known)
    assert rr.servers[1].share["short"] is not None
    assert rr.servers[1].share["short"].median == 0.5


def test_a_comparison_with_a_scheduler_that_was_not_run_is_not_asked(tmp_path: Path) -> None:
    recording = read(write_skew(tmp_path / "run", schedulers=("lc",)))
    found = results(recording)
    (comparison,) = found.comparisons
    assert (comparison.held, comparison.reason) == (None, "rr was not run")
    assert found.verdict == "held"


def test_without_its_scenario_a_recording_does_not_count(recording: Recording) -> None:
    found = evaluate(recording, None)
    assert found.verdict == "invalid"
    assert "scenario.yaml" in found.ends[0]
    assert found.runs[0].traffic["short"].requests == 100


def test_a_recording_that_ends_early_does_not_count(recording: Recording) -> None:
    found = results(replace(recording, ends=("the recording ends at 7.3 s in run 2 (lc)",)))
    assert found.verdict == "invalid"
    assert all(run.valid for run in found.runs)


def test_no_runs_at_all_is_invalid(recording: Recording) -> None:
    found = results(replace(recording, runs=()))
    assert (found.verdict, found.schedulers) == ("invalid", ())
