"""Standard streams: progress in a line that does not stay, and readers that go early."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ipvsload.cli.terminal import passing_line
from tests.patience import HUNG_AFTER_S
from tests.skew_recording import write_skew


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_each_text_takes_the_place_of_the_last_and_none_remains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with passing_line() as say_now:
        say_now("evaluating run 1 of 2 ...")
        say_now("evaluating run 2 of 2 ...")
    assert stream.getvalue().split("\r\x1b[K") == [
        "", "evaluating run 1 of 2 ...", "evaluating run 2 of 2 ...", "",
    ]  # fmt: skip


def test_a_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with passing_line() as say_now:
        say_now("evaluating run 1 of 2 ...")
    assert stream.getvalue() == ""


def test_a_reader_that_goes_early_is_no_failure(tmp_path: Path) -> None:
    directory = write_skew(tmp_path / "run")
    program = [sys.executable, "-m", "ipvsload", "explain", str(directory), "--all"]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run(
            program,
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=HUNG_AFTER_S,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
