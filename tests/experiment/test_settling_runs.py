"""Runs that are over, and whose services stay until the kernel's counters show all of them."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ipvsload.errors import InvalidRunError
from ipvsload.experiment.progress import Progress
from ipvsload.experiment.run_journal import RunJournal
from ipvsload.experiment.run_state import RunState
from ipvsload.experiment.session import StoppedError
from ipvsload.experiment.settling_runs import SettlingRun, SettlingRuns
from ipvsload.record.events import RunEnded
from ipvsload.record.format import Sample
from ipvsload.record.reader import RecordedRun, read
from ipvsload.record.writer import RunWriter
from ipvsload.simulate.virtual_time import VirtualTime


class Session:
    """Runs 1 to 3 settle at 1, 2 and 3 seconds; what is done is told in `done`."""

    def __init__(self, directory: Path) -> None:
        self.done: list[str] = []
        self.time = VirtualTime()
        self.directory = directory
        self.writer = RunWriter(
            directory, scenario_text="", scenario="s", testbed="lab", origin_unix_us=0
        )
        context: Any = SimpleNamespace(
            writer=self.writer,
            clock=self.time,
            inbox=self.time,
            progress=Progress(),
            samples=SimpleNamespace(follow=self.follow),
        )
        self.settling = SettlingRuns(context)
        for number in (1, 2, 3):
            journal = RunJournal(context, number)
            self.settling.add(
                SettlingRun(
                    journal,
                    RunState({}),
                    f"key {number}",
                    number * 1_000_000,
                    self.told(f"remove {number}"),
                    number,
                    {"setup": 0.5},
                )
            )

    def told(self, words: str) -> Callable[[], None]:
        return lambda: self.done.append(words)

    def follow(self, run: int, key: str, follower: None) -> None:
        self.done.append(f"{key} of {run} to {follower}")

    def sampled_until(self, seconds: int) -> None:
        """Each run has a sample every half second, of half a second ago."""
        for half in range(1, 2 * seconds + 1):

            def sample(now_ns: int) -> None:
                for run in (1, 2, 3):
                    self.time.put(Sample(run, "director", now_ns // 1000 - 500_000, 200, ()))

            self.time.call(half * 500_000_000, sample)

    def runs(self) -> tuple[RecordedRun, ...]:
        self.writer.close()
        return read(self.directory).runs


def test_each_ends_when_a_sample_was_taken_late_enough(tmp_path: Path) -> None:
    session = Session(tmp_path / "run")
    session.sampled_until(5)
    session.settling.finish()
    assert session.time.now_us() == 4_000_000  # by then one had begun after 3 s: it takes 0.1 ms
    assert session.done == [
        line for n in (1, 2, 3) for line in (f"key {n} of {n} to None", f"remove {n}")
    ]
    runs = session.runs()
    assert [run.samples[-1].t_us for run in runs] == [1_500_000, 2_500_000, 3_500_000]
    ends = [run.of_type(RunEnded)[0] for run in runs]
    assert [(end.complete, end.retransmits, end.seconds) for end in ends] == [
        (True, n, {"setup": 0.5}) for n in (1, 2, 3)
    ]


def test_what_interrupts_leaves_the_rest_without_an_end(tmp_path: Path) -> None:
    session = Session(tmp_path / "run")
    session.sampled_until(5)
    session.time.call(2_200_000_000, lambda _now: session.time.put(StoppedError()))
    with pytest.raises(StoppedError):
        session.settling.finish()
    session.settling.give_up()
    assert session.done[2:] == ["key 2 of 2 to None", "key 3 of 3 to None"]
    assert [len(run.of_type(RunEnded)) for run in session.runs()] == [1, 0, 0]


def test_without_samples_the_wait_has_a_deadline(tmp_path: Path) -> None:
    session = Session(tmp_path / "run")
    session.sampled_until(2)
    with pytest.raises(InvalidRunError, match="no sample after the last connection"):
        session.settling.finish()
    assert session.time.now_us() == 23_000_000
    session.writer.close()
