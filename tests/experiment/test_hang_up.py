"""A terminal that goes away in the middle of a run: it ends in order, with its reports."""

import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.experiment.recording_command import ENDLESS, IPVSLOAD, results, written
from tests.leftovers import Marked, nothing_left
from tests.patience import HUNG_AFTER_S
from tests.recorded_requests import recorded_requests

pytestmark = pytest.mark.kernel


@pytest.fixture
def marked(request: pytest.FixtureRequest) -> Iterator[Marked]:
    """Nothing of what carries the mark may be left."""
    with nothing_left(f"{os.getpid()}-{request.node.name}") as marked:
        yield marked


class _Run:
    """A run that records requests without an end, until something ends it."""

    def __init__(self, directory: Path, before: Sequence[str], marked: Marked, **streams: Any):
        self.out = directory / "out"
        words = [*before, *IPVSLOAD, "run", written(directory, ENDLESS), "--out", str(self.out)]
        self.process = subprocess.Popen(words, env=marked.environment, **streams)

    def records(self, terminal: int | None = None) -> int:
        """Wait until it has recorded more than now; reads the terminal, which has a short memory.

        Returns how many there are.
        """
        before = len(recorded_requests(self.out))
        deadline = time.monotonic() + HUNG_AFTER_S
        while (now := len(recorded_requests(self.out))) <= before:
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
            if terminal is not None:
                with suppress(BlockingIOError):
                    os.read(terminal, 1 << 16)
        return now


def test_a_terminal_that_has_gone_ends_the_run_in_order(tmp_path: Path, marked: Marked) -> None:
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    run = _Run(tmp_path, ["setsid", "--ctty"], marked, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    run.records(ours)
    os.close(ours)
    assert run.process.wait(HUNG_AFTER_S) == 4
    assert results(run.out)["runs"][0]["reasons"] == ["interrupted"]
    assert (run.out / "report.html").exists()


def test_under_nohup_it_goes_on(tmp_path: Path, marked: Marked) -> None:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run = _Run(tmp_path, ["nohup"], marked, stdin=subprocess.DEVNULL, **quiet)
    run.records()
    run.process.send_signal(signal.SIGHUP)
    run.records()
    run.process.terminate()
    assert run.process.wait(HUNG_AFTER_S) == 4
