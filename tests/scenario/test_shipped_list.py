"""`ipvsload scenarios`: what ships, as a user lists and reads it."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from ipvsload.cli import cli
from ipvsload.errors import UsageError
from ipvsload.scenario.load import load
from ipvsload.scenario.shipped import shipped_scenarios, shipped_titles
from tests.patience import HUNG_AFTER_S


def told(*arguments: str) -> str:
    """What it prints, and that nothing else comes where no terminal is."""
    result = CliRunner().invoke(cli, ["scenarios", *arguments], catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_each_has_a_line_with_its_title() -> None:
    lines = told().splitlines()
    assert dict(line.split(maxsplit=1) for line in lines) == shipped_titles()
    assert max(map(len, lines)) <= 100


def test_a_title_is_the_one_that_reports_show() -> None:
    loaded = {name: load(path).title for name, path in shipped_scenarios().items()}
    assert all(loaded.values())
    assert shipped_titles() == loaded


def test_one_is_printed_as_it_is() -> None:
    path = shipped_scenarios()["skew"]
    assert told("skew") == path.read_text()
    assert told("skew", "--path") == f"{path}\n"
    assert dict(line.split() for line in told("--path").splitlines())["skew"] == str(path)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["scenarios", "skwe"], "no shipped scenario 'skwe'; did you mean 'skew'?"),
        (
            ["simulate", "zzz"],
            "zzz: no such file, nor a scenario 'zzz'; `ipvsload scenarios` lists those that ship",
        ),
    ],
)
def test_a_name_that_is_none_has_a_hint(words: list[str], told: str) -> None:
    refused = CliRunner().invoke(cli, words).exception
    assert isinstance(refused, UsageError)
    assert str(refused) == told


@pytest.mark.parametrize("arguments", [[], ["skew"]])
def test_a_reader_that_goes_early_is_no_failure(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "ipvsload", "scenarios", *arguments],
            stdout=gone, stderr=subprocess.PIPE, text=True, timeout=HUNG_AFTER_S, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
