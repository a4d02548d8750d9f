"""Several recordings set side by side: which columns, and what differs between them.

Any recordings can be compared. Where two of them ran different scenarios or kernels, the
comparison says so and goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ipvsload.results.results import Results, SchedulerSummary


@dataclass(frozen=True, slots=True)
class ComparedRecording:
    """One recording in a comparison. `name` is what the reader calls it."""

    name: str
    results: Results
    scenario_text: str | None


@dataclass(frozen=True, slots=True)
class ComparedScheduler:
    """One scheduler of one recording."""

    name: str
    summary: SchedulerSummary


@dataclass(frozen=True, slots=True)
class RecordingComparison:
    """Columns by scheduler, then by recording. `differences` are lines for people."""

    columns: tuple[ComparedScheduler, ...]
    differences: tuple[str, ...]


def compare(recordings: Sequence[ComparedRecording]) -> RecordingComparison:
    """Put the recordings side by side, with the columns of one scheduler together."""
    columns = [
        ComparedScheduler(one.name, summary)
        for one in recordings
        for summary in one.results.schedulers
    ]
    order = list(dict.fromkeys(column.summary.scheduler for column in columns))
    columns.sort(key=lambda column: order.index(column.summary.scheduler))
    return RecordingComparison(tuple(columns), tuple(_differences(recordings)))


def _differences(recordings: Sequence[ComparedRecording]) -> list[str]:
    found = []
    names = {one.name: one.results.scenario for one in recordings}
    if len(set(names.values())) > 1:
        found.append(f"these are different scenarios: {_each(names)}")
    elif len({one.scenario_text for one in recordings}) > 1:
        first, *others = recordings
        changed = [one.name for one in others if one.scenario_text != first.scenario_text]
        found.append(
            f"the scenario file is not the same: {', '.join(changed)} differs from {first.name}"
        )
    kernels = {
        one.name: ", ".join(
            dict.fromkeys(
                f"{run.kernel.get('release')} ({run.kernel.get('provider')})"
                for run in one.results.runs
            )
        )
        for one in recordings
    }
    if len(set(kernels.values())) > 1:
        found.append(f"the kernels are not the same: {_each(kernels)}")
    testbeds = {one.name: one.results.testbed for one in recordings}
    if len(set(testbeds.values())) > 1:
        found.append(f"the testbeds are not the same: {_each(testbeds)}")
    found += [
        f"{one.name} does not count: its verdict is invalid"
        for one in recordings
        if one.results.verdict == "invalid"
    ]
    return found


def _each(values: dict[str, str]) -> str:
    return "; ".join(f"{name}: {value or 'unknown'}" for name, value in values.items())
