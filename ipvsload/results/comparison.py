"""Several recordings set side by side: which columns they have.

Any recordings can be compared. Where two of them ran different scenarios or kernels, the
comparison says so and goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ipvsload.record.reader import Recording
from ipvsload.results.recorded_scenario import recorded_scenario, scaling_of
from ipvsload.results.results import Results, SchedulerSummary
from ipvsload.scenario.model import Scenario


@dataclass(frozen=True, slots=True)
class ComparedRecording:
    """One recording in a comparison. `name` is what the reader calls it.

    `scenario` is None where its text is lost or not valid, and `scaled` has the options that
    changed it before it was simulated.
    """

    name: str
    results: Results
    scenario_text: str | None
    scenario: Scenario | None = None
    scaled: str = ""

    @classmethod
    def of(cls, name: str, recording: Recording, results: Results) -> Self:
        """The recording with what its files say of its scenario."""
        return cls(
            name,
            results,
            recording.scenario_text,
            recorded_scenario(recording),
            scaling_of(recording).options,
        )


def columns(recordings: Sequence[ComparedRecording]) -> list[tuple[str, SchedulerSummary]]:
    """The recording's name and the figures of each column, those of one scheduler together."""
    found = [(one.name, summary) for one in recordings for summary in one.results.schedulers]
    order = list(dict.fromkeys(summary.label for _, summary in found))
    return sorted(found, key=lambda column: order.index(column[1].label))
