"""The tables on the terminal, of one recording and of several beside each other."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from ipvsload.cli.records import compare
from ipvsload.errors import UsageError
from ipvsload.record.events import RunInvalid, RunPlanned
from ipvsload.record.reader import Recording, read
from ipvsload.record.writer import RunWriter
from ipvsload.report.figure_rows import column_header
from ipvsload.report.first_look import first_look
from ipvsload.report.terminal_comparison import print_comparison
from ipvsload.report.wording import plain, remarks
from ipvsload.report.write import load_results
from tests.report.rendering import printed, results
from tests.skew_recording import ONE, SCENARIO, TWO, write_skew


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_shows_the_split_at_a_glance(recording: Recording, width: int) -> None:
    text = printed(results(recording), width)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= width
    lines = [re.sub(r"[ |]+", " ", line).strip() for line in text.splitlines()]
    assert "short requests 50 (50 %) 0 (0 %)" in lines
    assert "short requests 50 (50 %) 100 (100 %)" in lines
    assert "active at most 11 10" in lines
    assert "HELD 7 expectations held in 2 runs" in lines


def test_colours_only_on_a_terminal_that_wants_them(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = results(recording)
    assert "\x1b[32m" in printed(found, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in printed(found, force_terminal=True, color_system="standard")
    assert "\x1b" not in printed(found)


def test_a_kernel_that_no_run_saw_is_unknown(recording: Recording) -> None:
    found = results(recording)
    for runs in ((), (replace(found.runs[0], kernel={}),)):
        assert "lab | kernel unknown\n" in printed(replace(found, runs=runs))


def test_repeats_show_median_and_range(tmp_path: Path) -> None:
    text = printed(results(read(write_skew(tmp_path / "run", repeats=3))), 120)
    assert "rr (median of 3)" in text
    assert re.search(r"latency p50 .*\d ms \[\d+.*-\d+.* ms\]", text)
    assert "3 of 3 runs" in text


def test_what_failed_and_why_stands_in_the_table(recording: Recording) -> None:
    text = SCENARIO.replace("== 50", "== 49")
    out = printed(results(recording, text))
    assert re.search(r"NO +rr +requests{class=short,server=1} == 49 +measured 50", out)
    assert "FAILED  2 of 7 expectations did not hold" in out


def test_schedulers_that_do_not_fit_stand_below_each_other(recording: Recording) -> None:
    found = results(recording)
    many = replace(found, schedulers=found.schedulers * 4)
    out = printed(many, 80)
    assert max(map(len, out.splitlines())) <= 80
    assert out.count("server 1  198.51.100.11:80") == 3


def test_a_long_label_is_folded_and_nothing_is_cut_off(recording: Recording) -> None:
    found = results(recording)
    label = "rr-persistence-3600s-netmask-24"
    columns = (*found.schedulers, replace(found.schedulers[0], label=label))
    out = printed(replace(found, schedulers=columns), 80)
    table = out[: out.index("ok  rr")]
    assert max(map(len, out.splitlines())) <= 80
    last = "".join(line.rpartition("|")[2] for line in table.splitlines())
    assert squeezed(label) in squeezed(last)
    assert table.count("50 (50 %)") == 4


def test_the_verdict_and_what_it_stands_on_come_last(recording: Recording) -> None:
    found = results(recording)
    run = replace(found.runs[0], notes=("slow",))
    out = printed(replace(found, runs=(run, *found.runs[1:])))
    places = [
        out.index(text) for text in ("long  ", "server 1", "note: rr: slow", "ok  rr", "HELD")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("repeats", "valid", "ended_early", "header"),
    [
        (1, 1, 0, "rr"),
        (1, 0, 0, "rr (not valid)"),
        (1, 1, 1, "rr (ended early)"),
        (3, 3, 0, "rr (median of 3)"),
        (3, 3, 1, "rr (median of 3, 1 ended early)"),
        (3, 2, 1, "rr (2 of 3 valid, 1 ended early)"),
    ],
)
def test_a_header_says_which_runs_its_figures_come_from(
    recording: Recording, repeats: int, valid: int, ended_early: int, header: str
) -> None:
    summary = results(recording).schedulers[0]
    changed = replace(summary, repeats=repeats, valid=valid, ended_early=ended_early)
    assert column_header(changed) == header


def compared(*directories: Path, width: int = 120, details: bool = True) -> str:
    file = io.StringIO()
    loaded = [*map(load_results, directories)]
    print_comparison(loaded, Console(file=file, width=width), details=details)
    return file.getvalue()


def test_details_have_all_figures_side_by_side(tmp_path: Path) -> None:
    one, two = write_skew(tmp_path / "one"), write_skew(tmp_path / "two")
    text = compared(one, two)
    assert re.search(r"rr *\| *rr *\| *lc *\| *lc", text)
    assert re.search(r"one *\| *two *\| *one *\| *two", text)
    assert "active connections are counted in samples, one each 0.1 s" in text
    assert "counted in samples" not in compared(one, two, details=False)


def test_one_directory_is_no_comparison(tmp_path: Path) -> None:
    done = CliRunner().invoke(compare, [str(write_skew(tmp_path / "one"))])
    assert isinstance(done.exception, UsageError)
    assert "two run directories" in str(done.exception)


@pytest.mark.parametrize("width", [30, 40, 60, 80, 200])
@pytest.mark.parametrize("repeats", [1, 3])
def test_nothing_is_cut_off_on_a_narrow_terminal(tmp_path: Path, width: int, repeats: int) -> None:
    found = results(read(write_skew(tmp_path / "run", repeats=repeats, schedulers=("rr",))))
    text = printed(found, width)
    assert max(map(len, text.splitlines())) <= width
    table = text[text.index("-+-") : text.index("ok  rr")].splitlines()
    labels, cells = zip(*(line.split("|") for line in table if "|" in line), strict=True)
    rows = first_look(found.schedulers, {1: ONE, 2: TWO})
    assert squeezed("".join(labels)) == squeezed("".join(r.label + r.remark for r in rows))
    assert squeezed("".join(cells)) == squeezed("".join("".join(r.cells) for r in rows))


def squeezed(text: str) -> str:
    return "".join(plain(text).split())


def test_a_run_whose_service_could_not_be_made_is_named_by_its_scheduler(tmp_path: Path) -> None:
    writer = RunWriter(
        tmp_path / "none", scenario_text=SCENARIO, scenario="skew", testbed="lab", origin_unix_us=0
    )
    writer.event(RunPlanned(1, 10, scheduler="lc", repeat=1))
    writer.event(RunInvalid(1, 20, "the director could not add it"))
    writer.close()
    found = results(read(tmp_path / "none"))
    assert "run 1 (lc): the director could not add it" in printed(found)
    for text in (printed(found), compared(tmp_path / "none", write_skew(tmp_path / "two"))):
        assert "lc (not valid)" in text
        assert "unknown (" not in text


def test_notes_that_differ_only_in_numbers_stand_once(recording: Recording) -> None:
    found = results(recording)
    first, second = found.runs
    runs = [
        replace(run, notes=(f"server 3 joined at {at} s: {n} of 9", f"class{n}: 192.0.2.{n}:80"))
        for run, at, n in ((first, 0.9, 1), (second, 0.75, 2), (first, 0.9, 1))
    ]
    assert remarks(replace(found, runs=tuple(runs)))[-3:] == [
        "rr, lc: server 3 joined at 0.9 s: 1 of 9 (with other numbers in 1 more run)",
        "rr: class1: 192.0.2.1:80",
        "lc: class2: 192.0.2.2:80",
    ]


def test_a_note_that_several_schedulers_have_stands_once(recording: Recording) -> None:
    found = results(recording)
    one, two = (
        replace(run, notes=("slow", *more))
        for run, more in zip(found.runs, ((), ("odd",)), strict=True)
    )
    lines = [
        line for line in printed(replace(found, runs=(one, two))).splitlines() if "note:" in line
    ]
    assert lines[-2:] == ["note: rr, lc: slow", "note: lc: odd"]
