"""`ipvsload explain` over a recording: its command line, and what it cannot explain."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ipvsload.cli import cli
from ipvsload.errors import UsageError
from tests.patience import HUNG_AFTER_S
from tests.skew_recording import write_skew


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_skew(tmp_path_factory.mktemp("explained") / "run")


def explained(directory: Path, *words: str) -> Result:
    # Whoever counts the columns of a terminal is asked for as many.
    return CliRunner(env={"COLUMNS": None}).invoke(cli, ["explain", str(directory), *words])


def test_a_run_as_a_table(directory: Path) -> None:
    done = explained(directory)
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.output.splitlines()]
    assert lines[0] == (
        "run 1 (rr) rr: the next server whose weight is not 0 (ip_vs_rr.c, ip_vs_rr_schedule)"
    )
    assert lines[3] == "# | class | at (s) | server 1 | server 2 | chosen | predicted | verdict"
    assert lines[5] == "1 | long | 0.000040 | 0/0 | - | 1 | 1 | matched"
    assert lines[15] == "11 | short | 0.550040 | 10/0 | 0/0 | 2 | 2 | matched"
    command = f"ipvsload explain {directory} --run 1"
    assert lines[25:] == [
        "matched 110 of 110; their order is that of the times of requests",
        f"20 of 110 connections shown; all of them: {command} --all",
        f"one of them in sentences: {command} --connection K",
        "other runs: --run 2 (lc)",
    ]


def test_the_scores_of_another_run_in_numbers(directory: Path) -> None:
    output = explained(directory, "--run", "2", "--all").output
    rows = [line.split(" | ") for line in output.splitlines() if line.endswith("matched")]
    assert len(rows) == 110
    assert [cell.strip() for cell in rows[99]] == [
        "100", "short", "2.107540", "10/0  256*10 + 0 = 2560", "0/89  256*0 + 89 = 89", "2", "2",
        "matched",
    ]  # fmt: skip
    assert "other runs" not in output


def test_one_connection(directory: Path) -> None:
    output = explained(directory, "--run", "2", "--connection", "100").output
    assert "connection 100 of run 2 (lc), class short: from 198.51.100.200 port 41089" in output
    assert "Server 2 has the least score, 89.\n" in output
    assert output.endswith("The kernel chose server 2, and so does the model: matched.\n")


def test_a_simulated_run_has_no_kernel(tmp_path: Path) -> None:
    directory = write_skew(tmp_path / "run", provider="model")
    output = explained(directory, "--connection", "1").output
    assert output.startswith("connection 1 of run 1 (rr, simulated), class long")
    assert "The simulation chose server 1, and so does the model: matched." in output
    assert explained(directory).output.startswith("run 1 (rr, simulated)  rr: the next server")


def test_the_mismatches_of_all_runs(directory: Path) -> None:
    output = explained(directory, "--mismatches").output
    assert output.count("no choice that is not the model's") == 2
    assert output.count("matched 110 of 110") == 2


def test_what_there_is_not_and_what_there_is(directory: Path) -> None:
    for words, said in (
        (("--run", "3"), "has no run 3; there are: --run 1 (rr), --run 2 (lc)"),
        (("--connection", "111"), "run 1 (rr) has connections 1 to 110: there is no 111"),
    ):
        assert said in str(explained(directory, *words).exception)
    assert explained(directory, "--connection", "0").exit_code == 2
    assert explained(directory, "--connection", "1", "--mismatches").exit_code == 2


@pytest.mark.parametrize(
    ("scheduler", "reason"),
    [
        ("twos", "twos draws by chance: no single choice of it can be foretold"),
        ("iptables", "iptables draws by chance: no single choice of it can be foretold"),
        ("nftables-hash", "the model does not know the rule of nftables-hash"),
    ],
)
def test_what_has_no_choice_to_explain_says_why(
    tmp_path: Path, scheduler: str, reason: str
) -> None:
    directory = write_skew(tmp_path / "run", schedulers=(scheduler,))
    done = explained(directory)
    assert done.output == ""
    said = f"{directory}, run 1 ({scheduler}): nothing to explain: {reason}"
    assert str(done.exception) == said
    assert isinstance(done.exception, UsageError)


def test_results_without_a_record_have_nothing_to_explain(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("{}")
    assert "without a record of single connections" in str(explained(tmp_path).exception)


def test_a_mistake_is_one_line_and_status_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ipvsload", "explain", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HUNG_AFTER_S)
    assert (done.returncode, done.stdout) == (2, "")
    said = f"ipvsload: {tmp_path} is not a run directory: no events.ndjson in it\n"
    assert done.stderr == said
