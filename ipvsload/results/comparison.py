"""Several recordings set side by side: which columns, and what differs between them.

Any recordings can be compared. Where two of them ran different scenarios or kernels, the
comparison says so and goes on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipvsload.results.results import Results, SchedulerSummary

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ComparedRecording:
    """One recording in a comparison. `name` is what the reader calls it."""

    name: str
    results: Results
    scenario_text: str | None


def columns(recordings: Sequence[ComparedRecording]) -> list[tuple[str, SchedulerSummary]]:
    """The recording's name and the figures of each column, those of one scheduler together."""
    found = [(one.name, summary) for one in recordings for summary in one.results.schedulers]
    order = list(dict.fromkeys(summary.label for _, summary in found))
    return sorted(found, key=lambda column: order.index(column[1].label))


def differences(recordings: Sequence[ComparedRecording]) -> list[str]:
    """For people: what else differs between the recordings, and which of them do not count."""
    scenarios = _unlike("these are different scenarios", recordings, lambda one: one.scenario)
    first, *others = recordings
    changed = [one.name for one in others if one.scenario_text != first.scenario_text]
    if changed and not scenarios:
        names = ", ".join(changed)
        scenarios = [f"the scenario file is not the same: {names} differs from {first.name}"]
    return [
        *scenarios,
        *_unlike("the kernels are not the same", recordings, lambda one: one.kernels),
        *_unlike("the testbeds are not the same", recordings, lambda one: one.testbed),
        *_settings(recordings),
        *(
            f"{one.name} does not count: its verdict is invalid"
            for one in recordings
            if one.results.verdict == "invalid"
        ),
    ]


def _settings(recordings: Sequence[ComparedRecording]) -> list[str]:
    """Where directors or services were set differently; not where nobody recorded it."""
    values = {one.name: _setting(one.results) for one in recordings}
    if len({value for value in values.values() if value != _UNKNOWN}) < 2:
        return []
    told = "; ".join(f"{name}: {value}" for name, value in values.items())
    return [f"the settings are not the same: {told}"]


def _setting(results: Results) -> str:
    """What was set in a recording and is unusual, of the director and of each scheduler's service.

    A recording of an earlier version says nothing of its director.
    """
    if not any(run.director.timeouts or run.director.sysctls for run in results.runs):
        return _UNKNOWN
    services = (
        f"{summary.label} {' '.join(summary.settings)}"
        for summary in results.schedulers
        if summary.settings
    )
    found = [*results.settings, *services]
    return ", ".join(found) or "what a kernel has by default"


def _unlike(
    what: str, recordings: Sequence[ComparedRecording], value: Callable[[Results], str]
) -> list[str]:
    values = {one.name: value(one.results) for one in recordings}
    if len(set(values.values())) < 2:
        return []
    return [f"{what}: " + "; ".join(f"{name}: {one or 'unknown'}" for name, one in values.items())]
