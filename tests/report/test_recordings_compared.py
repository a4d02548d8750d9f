"""`ipvsload compare` on the terminal: what is shown, by what, and what else differs."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from ipvsload.cli import cli
from ipvsload.record.reader import Recording, read
from ipvsload.report.terminal_comparison import print_comparison
from ipvsload.report.write import load_results
from ipvsload.results.results import Results
from tests.skew_recording import SCENARIO, write_skew

Loaded = tuple[Recording, Results]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load_results(write_skew(tmp_path_factory.mktemp("compared") / "one", repeats=8))


def slower(loaded: Loaded, name: str, ms: float) -> Loaded:
    """The same, with the short requests of lc slower by so much, and somewhat more each run."""
    recording, results = loaded
    columns = tuple(
        replace(
            one,
            median=(one.median or 0) + ms,
            blocks=tuple((block, value + ms + block / 50) for block, value in one.blocks),
        )
        if (one.label, one.measure) == ("lc", "latency_p95{class=short}")
        else one
        for one in results.columns
    )
    moved = replace(recording, directory=recording.directory.with_name(name))
    return moved, replace(results, columns=columns)


def shown(*loaded: Loaded, width: int = 80) -> str:
    file = io.StringIO()
    print_comparison(loaded, Console(file=file, width=width))
    return file.getvalue()


def words(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_pairs_stand_first_and_are_said_in_the_words_of_a_verdict(loaded: Loaded) -> None:
    text = shown(loaded, slower(loaded, "two", 1.0), width=200)
    lines = words(text)
    assert lines[0].startswith("one skew | lab | kernel 6.1.0 (uml) | held: ")
    assert "one two difference [95 %] p" in lines
    at = lines.index("short p95")
    assert re.fullmatch(
        r"lc \d\.\d\d ms \d\.\d\d ms \+1\.\d+ ms \[1\.\d+, 1\.\d+\] 0\.0078 slower", lines[at + 2]
    )
    assert lines[at + 1].endswith("1 the same")
    said = next(line for line in lines if line.startswith("lc in two is slower than lc in one: "))
    assert re.search(r"short p95 \+1\.\d+ ms \[.*\], p 0\.0078 \(Holm\), 8 blocks$", said)
    assert "the same in every run: 7 of 8 pairs" in lines
    assert any(line.startswith("paired by block") for line in lines)
    assert any(line.endswith("Holm over 1 test") for line in lines)


def test_it_fits_80_columns(loaded: Loaded) -> None:
    text = shown(loaded, slower(loaded, "two", 1000.0), slower(loaded, "three", -1.0))
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("difference [95 %]") == 2
    (row,) = [line for line in text.splitlines() if re.match(r"  lc .* slower", line)]
    assert "[" in row


def test_few_runs_are_told_what_it_takes(tmp_path: Path) -> None:
    one = load_results(write_skew(tmp_path / "one"))
    text = " ".join(shown(one, slower(one, "two", 5.0)).split())
    assert "~: no difference is shown in 1 of 8 pairs" in text
    assert "so few runs cannot show any difference to be more than chance" in text
    assert "it takes 6 runs of each column in each recording" in text


def test_what_else_differs_stands_below(tmp_path: Path) -> None:
    one = write_skew(tmp_path / "one")
    changed = SCENARIO.replace("users: 5", "users: 6")
    two = write_skew(tmp_path / "two", scenario_text=changed, provider="host")
    lines = words(shown(load_results(one), load_results(two)))
    assert "what else differs one two" in lines
    assert "kernel 6.1.0 (uml) 6.1.0 (host)" in lines
    assert "--- one/scenario.yaml" in lines
    assert "+ short: {request: GET /ip, users: 6, requests: 100, think: 50ms}" in lines
    assert "not paired: the recordings had not the same load" in " ".join(lines)
    assert "note: these are recordings of different times" in " ".join(lines)
    layout = write_skew(tmp_path / "layout", scenario_text=SCENARIO + "# changed\n")
    text = shown(load_results(one), load_results(layout))
    assert "layout: its scenario file differs in layout only" in text
    assert "what else differs" not in text
    assert "---" not in text


def test_long_changes_are_bounded(tmp_path: Path) -> None:
    one = write_skew(tmp_path / "one")
    more = "".join(f"    - failures == {n}\n" for n in range(100))
    two = write_skew(tmp_path / "two", scenario_text=f"{SCENARIO}{more}")
    text = shown(load_results(one), load_results(two))
    assert "and 65 more lines: diff shows them" in text
    assert text.count("- failures == ") == 35


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    rr = load_results(write_skew(tmp_path / "rr", schedulers=("rr",)))
    lc = load_results(write_skew(tmp_path / "lc", schedulers=("lc",)))
    text = shown(rr, lc)
    assert "lc has no column of rr: each of its columns stands against rr, the" in text
    assert "  lc against rr" in text
    lost = write_skew(tmp_path / "lost")
    (lost / "scenario.yaml").unlink()
    text = shown(rr, load_results(lost))
    assert "nothing to compare: no column and measure is in both" in text
    assert "note: lost does not count: its verdict is invalid" in text


def test_texts_of_a_recording_stay_texts(loaded: Loaded) -> None:
    recording, results = loaded
    hostile = "\x1b[31mred\n[bold]"
    columns = tuple(replace(one, label=hostile) for one in results.columns)
    changed = replace(results, scenario=hostile, columns=columns, baseline=hostile)
    text = shown((recording, changed), (replace(recording, directory=Path("two")), changed))
    assert "\x1b" not in text
    assert "[bold]" in text


def test_the_command(tmp_path: Path) -> None:
    one, two = write_skew(tmp_path / "one"), write_skew(tmp_path / "two")
    done = CliRunner().invoke(cli, ["compare", str(one), str(two)])
    assert done.exit_code == 0, done.output
    assert "the same in every run: 8 of 8 pairs" in done.output
    more = CliRunner().invoke(cli, ["compare", "--details", str(one), str(two)])
    assert "server 1" in more.output
    assert "server 1" not in done.output
    assert read(one).runs
