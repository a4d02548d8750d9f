"""What `init` and `locustfile` write: it runs as it is, and what it says of itself is true."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ipvsload.cli import cli
from ipvsload.cli.new_files import STARTERS
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario
from tests.locust_plugin.command import Command
from tests.patience import HUNG_AFTER_S
from tests.simulate.played import played

SCENARIO = (STARTERS / "scenario.yaml").read_text().replace("NAME", "mine")
_KEY = re.compile(r"(?m)^( *)#(?=[^ #\n])")
"""What stands before a key or a step that is to be tried: prose has a space behind its #."""


def blocks() -> list[str]:
    """Each commented-out line, or those that go on with it, as the text with only them there."""
    lines = SCENARIO.splitlines()
    found = []
    for at, line in enumerate(lines):
        if not _KEY.match(line):
            continue
        text, rest = [*lines], at
        text[at] = _KEY.sub(r"\1", line)
        while (rest := rest + 1) < len(lines) and re.match(r" *#  +[^ ]", lines[rest]):
            text[rest] = lines[rest].replace("#", "", 1)
        found.append("\n".join(text))
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ipvsload(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def held_but(results: Results) -> Sequence[str]:
    return [one.expression for one in results.expectations if not one.held]


def test_a_first_scenario_holds_on_the_model(here: Path) -> None:
    done = ipvsload("init", "My first.yaml")
    assert done.exit_code == 0
    assert "ipvsload run 'My first.yaml'" in done.stdout
    text = (here / "My first.yaml").read_text()
    scenario = parse_scenario(text, "it")
    assert scenario.name == "my-first"
    assert held_but(played(here / "out", text)[1]) == []


@pytest.mark.parametrize("text", blocks())
def test_what_is_commented_out_is_valid_and_plays(tmp_path: Path, text: str) -> None:
    """All of it holds but what says of itself that it takes repeats."""
    failed = held_but(played(tmp_path, text)[1])
    assert failed in ([], ["less{latency_p95{class=work}, lc, rr}"])


def test_so_many_lines_are_there_to_be_tried() -> None:
    assert len(blocks()) == 13


@pytest.mark.parametrize("words", [("init",), ("locustfile",)])
def test_a_file_that_is_there_stays(here: Path, words: tuple[str, ...]) -> None:
    assert ipvsload(*words, "mine").exit_code == 0
    (here / "mine").write_text("precious")
    again = ipvsload(*words, "mine")
    assert "mine: it is there already and stays as it is: name another file" in str(again.exception)
    assert (here / "mine").read_text() == "precious"


def test_of_a_disk_that_is_full_nothing_is_left(here: Path) -> None:
    # No file may be longer than that; Python has no need of the signal.
    command = ["sh", "-c", f"ulimit -f 0; {sys.executable} -m ipvsload init mine.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HUNG_AFTER_S)
    assert (done.returncode, done.stderr) == (
        2,
        "ipvsload: mine.yaml: cannot write: File too large\n",
    )
    assert not Path("mine.yaml").exists()


def test_a_place_that_is_none_is_said(here: Path) -> None:
    assert "no/such.yaml: cannot write" in str(ipvsload("init", "no/such.yaml").exception)


@pytest.mark.parametrize(
    ("words", "users"),
    [((), ["Long", "Short"]), (("--scenario", "skew"), ["long", "short"])],
)
def test_locust_reads_the_locustfile(here: Path, words: tuple[str, ...], users: list[str]) -> None:
    """One that plays a file is played on the kernel, below."""
    assert ipvsload("locustfile", "mine.py", *words).exit_code == 0
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", "mine.py", "--list"],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
        check=True,
    )
    assert done.stdout.split() == ["Available", "Users:", *users]


def test_a_scenario_is_found_from_where_the_locustfile_is(here: Path) -> None:
    (here / "in").mkdir()
    assert ipvsload("init").exit_code == 0
    assert ipvsload("locustfile", "in/mine.py", "--scenario", "scenario.yaml").exit_code == 0
    written = (here / "in" / "mine.py").read_text()
    assert 'SCENARIO = Path(__file__).parent / "../scenario.yaml"' in written


def test_a_locustfile_of_a_scenario_that_is_none_is_not_written(here: Path) -> None:
    done = ipvsload("locustfile", "mine.py", "--scenario", "skwe")
    assert "did you mean 'skew'" in str(done.exception)
    assert not (here / "mine.py").exists()


@pytest.mark.kernel
def test_both_play_and_hold_on_the_kernel(here: Path) -> None:
    assert ipvsload("init").exit_code == 0
    assert ipvsload("locustfile", "--scenario", "scenario.yaml").exit_code == 0
    with Command(here, here / "locustfile.py", "--headless") as command:
        assert command.wait() == 0, command.log
        assert "3 expectations held in 1 run" in command.log
