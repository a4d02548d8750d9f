"""What the terminal and summary.md show first: a line a column, and what the verdict says of it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ipvsload.record.reader import Recording, read
from ipvsload.report import markdown
from ipvsload.report.column_lines import column_lines
from ipvsload.results.results import Results
from tests.report.compared import compared, measured_column, with_columns
from tests.report.rendering import printed, results
from tests.skew_recording import write_skew

SHORT = "latency_p95{class=short}"
LONG = "latency_p95{class=long}"
FAILED = "failed_share{class=short}"


@pytest.fixture
def repeated(tmp_path: Path) -> Results:
    return results(read(write_skew(tmp_path / "run", repeats=3)))


def answered(found: Results, width: int = 80) -> str:
    text = printed(found, width, details=False)
    assert max(map(len, text.splitlines())) <= width
    return text


def test_a_line_has_the_measures_and_how_they_stand_to_the_baseline(repeated: Results) -> None:
    none: dict[str, float] = {"rr": 0, "lc": 0}
    found = compared(
        repeated, {SHORT: {"rr": 200, "lc": 100}, LONG: {"rr": 50, "lc": 50}, FAILED: none}
    )
    lines = column_lines(found)
    assert lines.labels == ("rr", "lc")
    short, long = lines.measures  # nothing failed, so there are no cells of failures
    assert (short.header, long.header) == ("short p95, ms", "long p95, ms")
    assert [re.sub(r"[\d.]+", "#", value) for value in short.values] == ["# [#, #]"] * 2
    assert short.against[0] == long.against[0] == "baseline"
    assert re.fullmatch(r"(49|50|51) % quicker", short.against[1])
    assert long.against[1] in ("~", "equivalent")
    assert lines.connections
    assert lines.connections.values == ("60 50", "10 100")
    text = answered(found)
    assert re.search(r"^rr +\d\d\d \[\d\d\d, \d\d\d\] +baseline", text, re.MULTILINE)
    assert re.search(r"^lc +[\d.]+ \[[\d.]+, \d+\] +(49|50|51) % quicker", text, re.MULTILINE)
    assert "short: take lc" in text


def test_the_baseline_may_be_any_column(repeated: Results) -> None:
    found = replace(compared(repeated, {SHORT: {"rr": 200, "lc": 100}}), baseline="lc")
    (short,) = column_lines(found).measures
    assert short.against[1] == "baseline"
    assert re.fullmatch(r"(9[5-9]|10[0-5]) % slower", short.against[0])


def test_failures_are_shown_where_there_are_some(repeated: Results) -> None:
    found = with_columns(
        repeated,
        [
            measured_column("rr", FAILED, [0.0] * 8, "fraction"),
            measured_column("lc", FAILED, [0.01 + 0.001 * n for n in range(8)], "fraction"),
        ],
    )
    (failed,) = column_lines(found).measures
    assert failed.header == "short failed, %"
    assert failed.values[0] == "0"
    assert failed.against == ("baseline", "1.4 points: fails more")
    assert "fails more" in answered(found)


def test_one_run_of_each_is_useful_too(recording: Recording) -> None:
    found = compared(results(recording), {SHORT: {"rr": 200, "lc": 100}}, repeats=1)
    (short,) = column_lines(found).measures
    assert [float(value) > 90 for value in short.values] == [True, True]
    assert re.fullmatch(r"-(49|50|51) %", short.against[1])
    text = answered(found)
    assert "--repeats 10" in text
    assert "quicker" not in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_measures_that_do_not_fit_stand_below(repeated: Results, width: int) -> None:
    measures = {
        f"latency_p{n}{{class=short}}": {"rr": 200.0, "lc": 100.0} for n in (50, 90, 95, 99)
    }
    text = answered(compared(repeated, measures), width)
    tables = len(re.findall(r"^lc +\d", text, re.MULTILINE))
    assert tables == {40: 4, 80: 2, 200: 1}[width]
    assert len(re.findall(r"% quicker", text.partition("short: take")[0])) == 4


def test_a_column_says_how_many_of_its_runs_count(repeated: Results) -> None:
    rr, lc = repeated.schedulers
    found = replace(repeated, schedulers=(replace(rr, valid=2), replace(lc, ended_early=1)))
    assert column_lines(found).labels == ("rr (2 of 3 valid)", "lc (1 ended early)")


def test_what_held_is_told_by_the_verdict_alone(recording: Recording) -> None:
    text = answered(results(recording))
    assert "HELD  7 expectations held in 2 runs" in text
    assert "share{" not in text
    assert "requests{" not in text
    assert "note: --details" in text or "notes: --details" in text


def test_figures_of_other_measures_that_count_have_a_sentence(repeated: Results) -> None:
    medians: dict[str, float] = {"rr": 100, "lc": 200}
    alike: dict[str, float] = {"rr": 100, "lc": 100}
    found = compared(repeated, {SHORT: alike, "rps{class=short}": medians}, unit="1/s")
    assert re.search(r"^lc has more than rr: short requests per second \+", answered(found), re.M)


def test_the_summary_has_the_pairs_and_folds_what_is_long(repeated: Results) -> None:
    measures = {SHORT: {"rr": 200.0, "lc": 100.0}, LONG: {"rr": 50.0, "lc": 50.0}}
    text = markdown.render(compared(repeated, measures))
    shown, _, folded = text.partition("<details>")
    medians = r"lc [\d.]+ ms, rr [\d.]+ ms"
    pair = rf"\| short p95 \| {medians} \| -.* ms &#91;.*&#93; \| [\d.]+ \| quicker \|"
    assert re.search(pair, shown)
    assert "short: take lc" in shown
    assert "latency p95" not in shown
    assert "| latency p95 |" in folded
    assert text.count("<details>") == text.count("</details>") == 2


def test_the_summary_of_many_columns_fits_into_a_comment(repeated: Results) -> None:
    labels = [f"column-{n}" for n in range(20)]
    summaries = tuple(replace(repeated.schedulers[0], label=label) for label in labels)
    medians = {label: 100.0 + n for n, label in enumerate(labels)}
    found = compared(replace(repeated, schedulers=summaries), {SHORT: medians, LONG: medians})
    text = markdown.render(found)
    assert "200 of 380 comparisons" in text
    assert len(text) < 65_536
