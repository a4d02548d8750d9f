"""That a run can be believed is half a line; the figures stand in a table of the page."""

import re
from dataclasses import replace

import pytest

from ipvsload.record.reader import Recording
from ipvsload.report.html import html_report
from ipvsload.report.wording import arrivals_line
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import Results, RunResult
from ipvsload.scenario.load import parse_scenario
from tests.report.rendering import printed, results
from tests.skew_recording import SCENARIO

OPEN = SCENARIO.replace("users: 5, requests: 100, think: 50ms", "rate: 57.143, requests: 100")


@pytest.fixture
def found(recording: Recording) -> Results:
    return evaluate(recording, parse_scenario(OPEN, "t.yaml"))


def test_all_runs_are_told_in_one_line(found: Results) -> None:
    assert arrivals_line(found) == ["arrivals as asked for in all runs"]
    assert printed(found).count("arrivals as asked for") == 1
    assert arrivals_line(replace(found, runs=found.runs[:1])) == [
        "arrivals as asked for in the run"
    ]


def test_those_that_are_not_believed_are_not_counted(found: Results) -> None:
    runs = (found.runs[0], judged(found.runs[1], "not believed"))
    assert arrivals_line(replace(found, runs=runs)) == ["arrivals as asked for in 1 of 2 runs"]
    runs = (found.runs[0], judged(found.runs[1], "too few to tell"))
    assert arrivals_line(replace(found, runs=runs)) == [
        "arrivals as asked for in 1 of 2 runs; too few arrivals of a class to tell in 1 run"
    ]


def judged(run: RunResult, verdict: str) -> RunResult:
    short = run.traffic["short"]
    assert short.arrivals is not None
    other = replace(short.arrivals, verdict=verdict)  # type: ignore[arg-type]
    return replace(run, traffic=run.traffic | {"short": replace(short, arrivals=other)})


def test_the_page_has_a_row_for_each_class_and_run(found: Results, recording: Recording) -> None:
    page = html_report.render(found, recording)
    table = page[page.index("How the load was sent") :]
    rows = re.findall(r'<tr><th scope="row">(\w+)</th><td class="n">(\w+)</td>', table)
    assert rows == [("rr", "short"), ("lc", "short")]
    assert table.count('<td class="n">believed</td>') == 2


def test_closed_classes_say_nothing_of_it(recording: Recording) -> None:
    closed = results(recording)
    assert arrivals_line(closed) == []
    assert "How the load was sent" not in html_report.render(closed, recording)
