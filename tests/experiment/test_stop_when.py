"""Runs that end early, because a condition under `stop-when` holds: failed, and not invalid."""

from pathlib import Path
from xml.etree import ElementTree

from ipvsload.record.events import RunStopped, StepStarted
from ipvsload.report import junit, markdown
from ipvsload.report.html import html_report
from ipvsload.report.wording import verdict_line
from ipvsload.scenario.load import parse_scenario
from tests.report.rendering import printed
from tests.simulate.played import played

FAILING = """
name: failing
schedulers: [rr, lc]
service: {servers: 4}
traffic:
  short: {request: GET /status/503, users: 1, requests: 1000000, think: 5ms}
  good: {users: 1, requests: 1000000, think: 1ms}
stop-when: failures > 5 %
timeline:
  - start: [short, good]
    until: done
    within: 10h
  - scale: 5
    until: servers == 5
expect:
  all: ["requests{class=short} == 1000000"]
  compare: ["latency_p95{scheduler=lc} <= latency_p95{scheduler=rr}"]
"""


def test_a_run_ends_at_once_and_has_failed(tmp_path: Path) -> None:
    recording, results = played(tmp_path / "run", FAILING)
    assert (results.verdict, results.exit_status) == ("failed", 1)
    assert [run.scheduler for run in results.runs] == ["rr", "lc"], "the next run is played"
    for recorded, run in zip(recording.runs, results.runs, strict=True):
        assert run.valid, run.reasons
        assert run.verdict == "failed"
        assert len(recorded.of_type(StepStarted)) == 1, "the second step is not played"
        # Not by the first request, which fails, but by the twentieth.
        assert 20 <= sum(traffic.requests for traffic in run.traffic.values()) <= 100
        early = run.ended_early
        assert early is not None
        assert early.measured is not None
        assert early.measured > 0.05
        percent = f"{100 * early.measured:.1f} %"
        assert early.reason == f"ended early: failures > 5 % held at 0.1 s: {percent}"
        stop = recorded.of_type(RunStopped)[0]
        assert (stop.condition, stop.seen, stop.measured) == (
            early.condition,
            percent,
            early.measured,
        )
        assert [(e.held, e.reason) for e in run.expectations] == [(None, "the run ended early")]
    assert results.comparisons[0].held is None
    assert results.comparisons[0].reason == "a run of lc ended early; a run of rr ended early"


def test_every_report_says_it(tmp_path: Path) -> None:
    recording, results = played(tmp_path / "run", FAILING)
    assert verdict_line(results) == "2 of 2 runs ended early"
    assert results.runs[0].ended_early
    reason = results.runs[0].ended_early.reason
    assert f"run 1 (rr): {reason}" in printed(results)
    assert "run 1 (rr): ended early: failures" in markdown.render(results)
    assert "run 1 (rr): ended early: failures" in html_report.render(results, recording)
    suite = ElementTree.fromstring(junit.render(results))[0]
    assert (suite.attrib["failures"], suite.attrib["errors"]) == ("1", "0")
    [case] = suite.findall("testcase[failure]")
    assert case.attrib["name"] == "stop-when: failures > 5 %"
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib["message"] == reason


def test_a_condition_that_does_not_hold_changes_nothing(tmp_path: Path) -> None:
    text = FAILING.replace("> 5 %", "> 50 %").replace("1000000", "100")
    recording, results = played(tmp_path / "run", text)
    assert results.verdict == "held"
    assert not any(run.of_type(RunStopped) for run in recording.runs)
    assert not any(run.ended_early for run in results.runs)


def test_a_number_of_failures_waits_for_no_other_requests(tmp_path: Path) -> None:
    text = FAILING.replace("failures > 5 %", "['failures{class=short} >= 2', elapsed > 3600s]")
    _, results = played(tmp_path / "run", text)
    assert results.runs[0].traffic["short"].failures < 20
    assert results.runs[0].ended_early
    assert results.runs[0].ended_early.condition == "failures{class=short} >= 2"


def test_what_is_seen_in_the_table_ends_a_run_too(tmp_path: Path) -> None:
    text = FAILING.replace("failures > 5 %", "conns{server=2} >= 7")
    scenario = parse_scenario(text, "t.yaml")
    assert ("table", "stop-when: conns{server=2} >= 7") in list(scenario.needs())
    _, results = played(tmp_path / "run", text)
    assert results.runs[0].ended_early
    assert results.runs[0].ended_early.reason.startswith(
        "ended early: conns{server=2} >= 7 held at "
    )
