"""What the model says of the kernel's choices, in every report."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ipvsload.record.reader import Recording, read
from ipvsload.report import junit, markdown
from ipvsload.report.first_look import first_look
from ipvsload.report.html import html_report
from ipvsload.results.prediction import PredictedServer, Prediction
from ipvsload.results.results import Results
from ipvsload.results.summary import summarize
from tests.report.rendering import printed, results
from tests.skew_recording import write_skew

ALL = Prediction(20_004, 20_004, 0, 0, witness=True)
TWO = Prediction(110, 108, 0, 2, witness=True)
NONE = Prediction(110, 90, 12, 8, witness=False)


def predicted(recording: Recording, *found: Prediction | None, off: int = 0) -> Results:
    """The skew runs with these predictions; the model gives server 1 `off` more than it had."""
    known = results(recording)
    runs = tuple(
        replace(
            run,
            prediction=one,
            servers=tuple(
                replace(s, predicted=PredictedServer((s.connections or 0) + off * (1 - 2 * at)))
                for at, s in enumerate(run.servers)
            )
            if one
            else run.servers,
        )
        for run, one in zip(known.runs, found, strict=True)
    )
    columns = tuple(summarize(run.label, [run]) for run in runs)
    return replace(known, runs=runs, schedulers=columns)


def rows(text: str) -> list[str]:
    """The lines of a table, without its rules and spaces."""
    return [" ".join(line.replace("|", " ").split()) for line in text.splitlines()]


def test_each_report_says_how_many_choices_are_the_models(recording: Recording) -> None:
    found = predicted(recording, ALL, TWO, off=2)
    table = rows(printed(found))
    assert "matched 20004 of 20004 108 of 110" in table
    assert "mismatched 0 2" in table
    assert "predicted 62 12" in table
    assert "predicted 48 98" in table
    summary = markdown.render(found)
    assert "| matched | 20\u202f004 of 20\u202f004 | 108 of 110 |" in summary
    page = html_report.render(found, recording)
    assert ">20\u202f004 of 20\u202f004<" in page
    suites = ElementTree.fromstring(junit.render(found)).findall("testsuite")
    told = [suite.find("properties/property[@name='model']") for suite in suites[:2]]
    assert [one.get("value") for one in told if one is not None] == [
        "matched 20\u202f004 of 20\u202f004",
        "matched 108 of 110, mismatched 2",
    ]


@pytest.mark.parametrize("render", [printed, markdown.render, junit.render])
def test_a_choice_that_is_not_the_models_makes_itself_heard(
    recording: Recording, render: Callable[[Results], str]
) -> None:
    text = " ".join(render(predicted(recording, ALL, TWO)).split())
    assert "run 2 (lc): 2 of 110 choices are not what the rule of lc says" in text
    assert "--run 2" in text
    assert "run 1" not in text
    page = html_report.render(predicted(recording, ALL, TWO), recording)
    assert "a fault of ipvsload or of the kernel" in page


def test_without_packets_what_no_order_explains_is_told(recording: Recording) -> None:
    found = predicted(recording, NONE, None)
    text = printed(found)
    assert {"matched 90 of 110 -", "consistent 12 -", "unexplained 8 -"} <= set(rows(text))
    assert "mismatched" not in "".join(rows(text)).replace("--mismatches", "")
    assert "in no order that the times of requests allow" in " ".join(text.split())


def test_where_packets_leave_the_order_open_a_choice_is_unexplained(recording: Recording) -> None:
    text = printed(predicted(recording, ALL, replace(TWO, exact=False)))
    assert "unexplained - 2" in rows(text)
    words = " ".join(text.split())
    assert "in no order that the times of packets allow, and are unexplained" in words
    assert "fault" not in words


def test_that_a_simulation_agrees_with_its_own_model_is_not_said(recording: Recording) -> None:
    found = predicted(recording, replace(ALL, simulated=True), replace(TWO, simulated=True))
    table = rows(printed(found))
    assert "matched - 108 of 110" in table
    assert "2 of 110 choices are not what the rule of lc says, a fault of ipvsload:" in " ".join(
        printed(found).split()
    )
    quiet = predicted(recording, replace(ALL, simulated=True), replace(ALL, simulated=True))
    assert "matched" not in printed(quiet)
    assert 'name="model"' not in junit.render(quiet)


def test_what_was_predicted_stands_in_a_row_of_many_where_it_differs(recording: Recording) -> None:
    def labels(off: int) -> list[str]:
        columns = predicted(recording, TWO, TWO, off=off).schedulers
        servers = tuple(replace(one, number=at) for at, one in enumerate(columns[0].servers * 2, 1))
        return [row.label for row in first_look([replace(columns[0], servers=servers)], {})]

    assert "predicted" in labels(off=2)
    assert "predicted" not in labels(off=0)


def test_repeats_are_added_up(recording: Recording) -> None:
    known = predicted(recording, ALL, TWO)
    column = summarize("lc", known.runs)
    assert column.prediction == Prediction(20_114, 20_112, 0, 2, witness=True)
    text = rows(printed(replace(known, schedulers=(column,))))
    assert "matched in all runs 20112 of 20114" in text


def test_without_a_prediction_nothing_is_said_of_it(recording: Recording) -> None:
    text = printed(predicted(recording, None, None))
    assert "matched" not in text
    assert "the model" not in text


def test_a_simulated_run_says_that_no_kernel_took_part(tmp_path: Path) -> None:
    directory = write_skew(tmp_path / "run", provider="model")
    recording = read(directory)
    words = "simulated: ipvsload's model of IPVS, not a kernel"
    found = results(recording)
    assert printed(found).splitlines()[1] == words
    assert words.replace("'", "&#39;") in html_report.render(found, recording)
    assert words in markdown.render(found)
    assert "own count of what it scheduled" not in html_report.render(found, recording)
