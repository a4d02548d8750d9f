"""A run that ended early, because a condition under `stop-when` held."""

from dataclasses import dataclass

from ipvsload.record.events import RunStopped, StepStarted
from ipvsload.record.reader import RecordedRun


@dataclass(frozen=True, slots=True)
class EarlyEnd:
    """Which condition held, how many seconds after the timeline began, and what it compared.

    `reason` says all of it, for people.
    """

    condition: str
    seconds: float
    measured: float | None
    reason: str


def early_end(run: RecordedRun) -> EarlyEnd | None:
    """How the run ended early; None where it did not."""
    stops = run.of_type(RunStopped)
    if not stops:
        return None
    stop = stops[0]
    steps = run.of_type(StepStarted)
    seconds = (stop.t_us - (steps[0].t_us if steps else run.start_us)) / 1e6
    reason = f"ended early: {stop.condition} held at {seconds:.1f} s: {stop.seen}"
    return EarlyEnd(stop.condition, seconds, stop.measured, reason)
