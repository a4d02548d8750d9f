"""What `ipvsload explain` shows of a run directory: which run, and why there may be nothing."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from ipvsload.errors import UsageError
from ipvsload.ipvs.lc_laws import USUAL_LC_LAW
from ipvsload.record.events import ServerJoined
from ipvsload.record.format import MODEL, FormatError
from ipvsload.record.reader import RecordedRun, Recording, read
from ipvsload.record.witness import Witness
from ipvsload.replay.decision import Decision
from ipvsload.replay.recorded_directors import recorded_directors
from ipvsload.replay.replayed_run import decisions, recorded_law, replay
from ipvsload.replay.told_settings import NotReplayableError
from ipvsload.report.decision_words import DecidingRun
from ipvsload.report.html.chart_series import zero_us
from ipvsload.report.terminal_decisions import print_one, print_table
from ipvsload.results.recorded_scenario import recorded_scenario
from ipvsload.scenario.model import Scenario

WIDE = 1_000
"""Nobody folds the lines of a pipe."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: of one run or, `run` being None, of the first or of each.

    `connection` counts from 1. `everything`: however many there are.
    """

    run: int | None = None
    connection: int | None = None
    mismatches: bool = False
    everything: bool = False


def explain(directory: Path, wanted: Wanted) -> None:
    """Print it. Raises UsageError where there is no such run or connection, or nothing to say."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=WIDE)
    recording = read(directory)
    scenario = recorded_scenario(recording)
    runs = _runs(recording, wanted)
    told = 0
    for run in runs:
        if told:
            console.print()
        try:
            with _readable(directory):
                _explain(recording, run, scenario, wanted, console)
            told += 1
        except NotReplayableError as error:
            reason = f"run {run.number} ({run.label}): nothing to explain: {error}"
            if len(runs) == 1:
                raise UsageError(f"{directory}, {reason}") from None
            console.print(reason, highlight=False, markup=False)
    if not told:
        raise UsageError(f"{directory}: no run of it can be explained")
    if wanted.run is None and len(runs) < len(recording.runs):
        others = [one for one in recording.runs if one not in runs]
        console.print(f"other runs: {_options(others)}", highlight=False, markup=False)


def _runs(recording: Recording, wanted: Wanted) -> list[RecordedRun]:
    if not recording.runs:
        raise UsageError(f"{recording.directory}: there is no run in it")
    if wanted.run is None:
        return list(recording.runs) if wanted.mismatches else [recording.runs[0]]
    chosen = [run for run in recording.runs if run.number == wanted.run]
    if not chosen:
        raise UsageError(
            f"{recording.directory} has no run {wanted.run}; there are: {_options(recording.runs)}"
        )
    return chosen


def _options(runs: Iterable[RecordedRun]) -> str:
    found = list(runs)
    told = ", ".join(f"--run {run.number} ({run.label})" for run in found[:8])
    return f"{told} ... --run {found[-1].number} ({found[-1].label})" if found[8:] else told


def _explain(
    recording: Recording,
    run: RecordedRun,
    scenario: Scenario | None,
    wanted: Wanted,
    console: Console,
) -> None:
    witness = recording.witness(run)
    deciding = _deciding(run, scenario, witness)

    def replayed(every_table: bool) -> Iterator[Decision]:
        return decisions(run, scenario, witness, every_table=every_table)

    if wanted.connection is None:
        print_table(
            deciding,
            replayed,
            only_mismatches=wanted.mismatches,
            everything=wanted.everything,
            command=f"ipvsload explain {recording.directory} --run {run.number}",
            console=console,
        )
        return
    there_are = print_one(deciding, replayed(True), wanted.connection, console)
    if there_are is not None:
        has = f"connections 1 to {there_are}" if there_are else "no connections"
        raise UsageError(
            f"{recording.directory}, run {run.number} ({run.label}) has {has}:"
            f" there is no {wanted.connection}"
        )


def _deciding(run: RecordedRun, scenario: Scenario | None, witness: Witness | None) -> DecidingRun:
    law = recorded_law(run)
    if law is None:
        law = replay(run, scenario, witness).lc_law or USUAL_LC_LAW
    joined = {event.server: event.number for event in run.of_type(ServerJoined)}
    for address in (s.address for one in run.samples[:1] for v in one.services for s in v.servers):
        joined.setdefault(address, len(joined) + 1)
    settings = recorded_directors(run, scenario, law)[0].settings
    return DecidingRun(
        run.number,
        run.label,
        settings,
        zero_us(run),
        joined,
        witness=witness is not None,
        simulated=run.kernel.get("provider") == MODEL,
    )


@contextmanager
def _readable(directory: Path) -> Iterator[None]:
    try:
        yield
    except FormatError as error:
        raise UsageError(f"{directory}: its packets cannot be read: {error}") from None
