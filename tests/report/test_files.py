"""JUnit, Markdown and the other files that a report is written to."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ipvsload.record.format import EVENTS, REQUESTS
from ipvsload.record.reader import Recording
from ipvsload.report import junit, markdown
from ipvsload.report.write import load_results, write_reports
from ipvsload.results.results import Results
from tests.report.rendering import printed, results
from tests.skew_recording import SCENARIO, write_skew


def test_junit_counts_what_held_and_what_did_not(recording: Recording) -> None:
    root = ElementTree.fromstring(
        junit.render(results(recording, SCENARIO.replace("== 50", "== 49")))
    )
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["skew.rr.1", "skew.lc.1", "skew.compare"]
    rr = suites["skew.rr.1"]
    assert (rr.get("tests"), rr.get("failures"), rr.get("errors")) == ("3", "2", "0")
    failure = rr.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "measured 50"
    assert suites["skew.lc.1"].get("failures") == "0"


def test_junit_has_errors_for_a_run_that_does_not_count(recording: Recording) -> None:
    changed = replace(recording, ends=("the recording ends at 7.3 s",))
    found = results(changed)
    broken = replace(
        found, runs=(replace(found.runs[0], valid=False, reasons=("gap",)), found.runs[1])
    )
    root = ElementTree.fromstring(junit.render(broken))
    suites = {suite.get("name"): suite for suite in root}
    assert suites["skew.rr.1"].get("errors") == "3"
    assert suites["skew.lc.1"].get("errors") == "0"
    assert suites["skew.recording"].get("errors") == "1"


def test_summary_is_a_table_with_the_verdict_first(recording: Recording) -> None:
    text = markdown.render(results(recording))
    assert text.startswith("## ✅ skew: held\n")
    assert "| short requests | 50 (50 %) | 0 (0 %) |" in text
    widths = [
        {line.count(" | ") for line in block.splitlines()}
        for block in text.split("\n\n")
        if block.startswith("|")
    ]
    assert len(widths) == 3
    assert all(len(width) == 1 for width in widths)


@pytest.mark.parametrize("render", [junit.render, markdown.render, printed])
def test_hostile_texts_stay_texts_in_files(
    hostile: tuple[Recording, Results], render: Callable[[Results], str]
) -> None:
    text = render(hostile[1])
    if render is junit.render:
        ElementTree.fromstring(text)
    elif render is markdown.render:
        assert "<script" not in text
        assert "[x](" not in text
        assert "://" not in text
        assert all(line.endswith("|") for line in text.splitlines() if line.startswith("|"))
    else:
        assert "\x1b" not in text
        assert "\x00" not in text
        assert "\x1b[31m" not in printed(hostile[1], force_terminal=True, color_system=None)


def test_reports_are_written_and_again(tmp_path: Path) -> None:
    directory = write_skew(tmp_path / "run")
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    for _ in range(2):
        assert write_reports(*load_results(directory)) == directory / "report.html"
    new = {path.name for path in directory.iterdir()} - before.keys()
    assert new == {"report.html", "junit.xml", "summary.md", "results.json"}
    assert all((directory / name).read_bytes() == content for name, content in before.items())
    assert json.loads((directory / "results.json").read_text())["verdict"] == "held"


def test_a_killed_run_is_reported_up_to_where_it_ends(tmp_path: Path) -> None:
    directory = write_skew(tmp_path / "run")
    lines = (directory / EVENTS).read_bytes().splitlines(keepends=True)
    (directory / EVENTS).write_bytes(b"".join(lines[:-3]))
    content = (directory / REQUESTS).read_bytes()
    (directory / REQUESTS).write_bytes(content[:-40])
    recording, found = load_results(directory)
    write_reports(recording, found)
    assert (found.verdict, found.exit_status) == ("invalid", 4)
    text = (directory / "report.html").read_text()
    assert "requests.columns stops in the middle of a block" in text
    assert "requests.columns stops in the middle of a block" in printed(found, 200)
