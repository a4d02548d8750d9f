"""What of a new recording got worse than a kept one, and where nobody can tell."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from ipvsload.cli import cli
from ipvsload.errors import UsageError
from ipvsload.record.format import FormatError
from ipvsload.report.regression_words import regression_warnings
from ipvsload.report.write import load_results
from ipvsload.results.kept_recording import KeptRecording
from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.regressions import regressions
from ipvsload.scenario.measures.base import Better
from tests.simulate.played import played

TEXT = """
name: kept
schedulers: [rr, lc]
service: {servers: 2}
traffic:
  work: {request: "GET /delay/{work}", work: exponential 40ms, users: 3, requests: 60}
timeline: [{start: work, until: done}]
expect: {all: [failures == 0]}
"""
QUICK = TEXT.replace("40ms", "10ms")
LEVELS = (10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0)


def column(*values: float, label: str = "lc", better: Better | None = "less") -> MeasuredColumn:
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    blocks = tuple(enumerate(values, 1))
    return MeasuredColumn(label, "latency_p95{class=work}", "ms", better, blocks, middle, None)


def times(factor: float) -> tuple[float, ...]:
    """As the levels, by a factor that is another one in each block, as runs are."""
    return tuple(value * (factor + at / 1000) for at, value in enumerate(LEVELS))


def against(now: MeasuredColumn, then: MeasuredColumn, margin: float = 0.05) -> tuple[int, int]:
    """How many got worse, and how many by no more than the margin."""
    kept = KeptRecording("then", {}, (then,), paired=True)
    found = regressions([now], kept, {}, margin)
    return len(found.worse), len(found.within)


@pytest.mark.parametrize(
    ("factor", "margin", "found"),
    [
        (1.2, 0.05, (1, 0)),
        (1.02, 0.05, (0, 1)),  # shown, and nobody minds
        (1.02, 0.001, (1, 0)),
        (0.8, 0.05, (0, 0)),
    ],
)
def test_worse_is_more_than_chance_and_more_than_the_margin(
    factor: float, margin: float, found: tuple[int, int]
) -> None:
    assert against(column(*times(factor)), column(*LEVELS), margin) == found


def test_what_may_be_chance_is_no_regression() -> None:
    noisy = [value * (1.5 if at % 2 else 0.8) for at, value in enumerate(LEVELS)]
    assert against(column(*noisy), column(*LEVELS)) == (0, 0)


@pytest.mark.parametrize(
    ("better", "found"), [("greater", (1, 0)), ("less", (0, 0)), (None, (0, 0))]
)
def test_which_way_is_worse_the_measure_says(better: Better | None, found: tuple[int, int]) -> None:
    assert against(column(*times(0.7), better=better), column(*LEVELS, better=better)) == found


def test_failures_where_there_were_none_are_worse_whatever_the_margin() -> None:
    then = replace(column(*[0.0] * 8), measure="failed_share{class=work}", unit="fraction")
    now = replace(column(*[0.001 * at for at in range(1, 9)]), measure=then.measure, unit=then.unit)
    assert against(now, then) == (1, 0)


def test_columns_without_a_kept_one_are_no_reason_to_fail_nor_to_hold() -> None:
    kept = KeptRecording("then", {}, (column(*LEVELS, label="rr"),), paired=True)
    found = regressions([column(*LEVELS)], kept, {}, 0.05)
    assert found.reason == "no column and measure has runs that count in both"


def test_another_machine_is_warned_of() -> None:
    then = KeptRecording("then", {"cores": "2", "kernel": "6.1"}, (column(*LEVELS),), paired=True)
    same = regressions([column(*LEVELS)], then, {"cores": "2"}, 0.05)
    other = regressions([column(*LEVELS)], then, {"cores": "4", "kernel": "6.6"}, 0.05)
    assert list(regression_warnings(same)) == []
    assert list(regression_warnings(other)) == [
        "then was recorded on another machine: a difference may be the machine's, and no test can"
        " tell it apart",
        "cores was 2, and is 4",
        "kernel was 6.1, and is 6.6",
    ]


def test_what_is_kept_can_be_read_again() -> None:
    kept = KeptRecording("then", {"cores": "2"}, (column(*LEVELS),), paired=True)
    assert KeptRecording.of_json(json.loads(json.dumps(kept.to_json()))) == kept
    bare = {**kept.to_json(), "columns": [{"label": "lc"}]}
    spoilt: tuple[object, ...] = ("", [], {"name": "then"}, bare)
    for damaged in spoilt:
        with pytest.raises(FormatError):
            KeptRecording.of_json(damaged)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a time when everything was four times as quick."""
    directory = tmp_path_factory.mktemp("kept") / "kept"
    played(directory, QUICK, repeats=8)
    (directory / "scenario.yaml").write_text(TEXT)
    return directory


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept.yaml").write_text(TEXT)
    return tmp_path


def ipvsload(*words: object) -> int:
    status: int = cli.main([*map(str, words)], "ipvsload", standalone_mode=False)
    return status


def test_a_regression_is_in_every_report_and_in_the_exit_status(
    here: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("simulate", "kept.yaml", "--repeats", 8, "--out", "out")
    assert ipvsload(*words, "--fail-on-regression", kept) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert f"worse than in {kept}: 2 of 4 comparisons" in printed
    assert f"lc is slower than lc in {kept}: work p95 +" in printed
    assert "FAILED worse than in " in printed

    told = json.loads((here / "out" / "results.json").read_text())
    assert told["verdict"] == "failed"
    assert [one["label_b"] for one in told["regression"]["worse"]] == ["rr", "lc"]

    tree = ElementTree.parse(here / "out" / "junit.xml")
    suite = tree.find("testsuite[@name='kept.regression']")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("4", "2")
    for name in ("summary.md", "report.html"):
        assert f"{kept}: 2 of 4 comparisons" in (here / "out" / name).read_text()

    # The same verdict comes of the files alone, without the kept recording.
    (here / "elsewhere").mkdir()
    moved = (here / "out").rename(here / "elsewhere" / "out")
    assert ipvsload("report", moved) == 1
    (moved / "kept.json").write_text("{")
    assert load_results(moved)[1].verdict == "invalid"


def test_a_summary_is_held_against_it_too(here: Path, kept: Path) -> None:
    words = ("simulate", "kept.yaml", "--summary", "--repeats", 8, "--out", "out")
    assert ipvsload(*words, "--fail-on-regression", kept) == 1


def test_two_recordings_are_compared_so(here: Path, kept: Path) -> None:
    assert ipvsload("simulate", "kept.yaml", "--repeats", 8, "--out", "out") == 0
    assert ipvsload("compare", kept, "out") == 0
    assert ipvsload("compare", kept, "out", "--fail-on-regression") == 1
    assert ipvsload("compare", "out", kept, "--fail-on-regression") == 0


@pytest.mark.parametrize(
    ("words", "text", "why"),
    [
        (("--repeats", 8), TEXT.replace("requests: 60", "requests: 61"), "its traffic is not as"),
        (
            ("--repeats", 8),
            TEXT.replace("[rr, lc]", "[rr, {label: lc, scheduler: lc, persistence: 60s}]"),
            "lc is set",
        ),
        (
            ("--repeats", 8),
            TEXT.replace("[rr, lc]", "[sed]"),
            "it has rr and lc, and nothing of sed",
        ),
        (("--repeats", 2), TEXT, "2 repeats of the new recording cannot show in 4 comparisons"),
        (("--self-check", 2), TEXT, "not with a recording"),
    ],
)
def test_what_cannot_be_told_is_said_before_anything_is_played(
    here: Path, kept: Path, words: tuple[object, ...], text: str, why: str
) -> None:
    (here / "kept.yaml").write_text(text)
    with pytest.raises(UsageError, match=why):
        ipvsload("simulate", "kept.yaml", *words, "--out", "out", "--fail-on-regression", kept)
    assert not (here / "out").exists()


def test_where_the_balancer_was_not_chosen_its_name_is_no_obstacle(
    here: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which one is there the testbed says, after it was brought up."""
    shutil.copytree(kept, here / "present")
    events = here / "present" / "events.ndjson"
    events.write_text(events.read_text().replace('"columns":["rr","lc"]', '"columns":[""]'))
    words = ("simulate", "kept.yaml", "--repeats", 8, "--fail-on-regression", "present")
    assert ipvsload(*words, "--scheduler", "lc") == 1
    assert ipvsload(*words, "--scheduler", "sed") == 4
    printed = " ".join(capsys.readouterr().out.split())
    assert "no column and measure has runs that count in both" in printed


@pytest.mark.parametrize("command", ["run", "simulate"])
def test_no_such_recording_is_bad_usage(here: Path, command: str) -> None:
    with pytest.raises(UsageError, match="no-such"):
        ipvsload(command, "kept.yaml", "--fail-on-regression", "no-such")
    assert not (here / "runs").exists()


def test_a_recording_of_another_testbed_is_refused(here: Path, kept: Path) -> None:
    with pytest.raises(UsageError, match="recorded on the testbed model, and this is lab"):
        ipvsload("run", "kept.yaml", "--repeats", 8, "--fail-on-regression", kept)
    assert not (here / "runs").exists()


def test_too_few_kept_repeats_are_refused(here: Path, tmp_path: Path) -> None:
    played(tmp_path / "few", TEXT, repeats=3)
    with pytest.raises(UsageError, match=r"its 3 repeats cannot show .* with --repeats 10"):
        ipvsload("simulate", "kept.yaml", "--repeats", 10, "--fail-on-regression", "few")
    with pytest.raises(click.ClickException):
        ipvsload("simulate", "kept.yaml", "--fail-on-regression")
