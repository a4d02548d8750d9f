"""Progress in a line that does not stay: on a terminal only."""

import io
import sys

import pytest

from ipvsload.cli.terminal import passing_line


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
