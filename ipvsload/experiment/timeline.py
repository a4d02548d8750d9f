"""The timeline of one run as a state machine, without a clock or a kernel.

Its caller carries out what it says, and asks again after each event (a sample,
a class that is done) and when a deadline passes. A step begins when the step
before it is over, not after a time that was guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ipvsload.experiment.run_state import RunState
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.model import Step


@dataclass(frozen=True, slots=True)
class Begin:
    """Carry out this step's action now, then ask again."""

    index: int
    step: Step


@dataclass(frozen=True, slots=True)
class Done:
    """A step's wait is over. `saw` is what the condition last showed."""

    index: int
    saw: str
    waited_us: int


@dataclass(frozen=True, slots=True)
class Missed:
    """A wait's deadline has passed; `message` says what was awaited and seen."""

    index: int
    message: str


@dataclass(frozen=True, slots=True)
class Over:
    """Every step is done."""


Turn = Begin | Done | Missed | Over

_POLL_US = 5_000
"""How often a condition is asked for again if no event tells of its change."""


class Timeline:
    """Goes through `steps`. Times are in µs on the recording's clock."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._index = 0
        self._begun = False
        self._since_us = 0

    @property
    def current(self) -> tuple[int, Step] | None:
        """The step that is running or comes next, and its index."""
        return (self._index, self._steps[self._index]) if self._index < len(self._steps) else None

    def ask(self, state: RunState, now_us: int) -> Turn | None:
        """What to do now; None means nothing before the next event."""
        if self._index >= len(self._steps):
            return Over()
        step = self._steps[self._index]
        if not self._begun:
            self.begun(now_us)
            return Begin(self._index, step)
        since = self._since_us
        waited = now_us - since
        saw = ""
        match step.awaited:
            case Condition() as condition:
                lookup = state.lookup(now_us, since)
                saw = condition.describe(lookup)
                if not condition.evaluate(lookup).held:
                    return self._missed(step, condition, saw) if _late(step, waited) else None
            case float(seconds) if waited < seconds * 1e6:
                return None
        done = Done(self._index, saw, waited)
        self._index += 1
        self._begun = False
        return done

    def begun(self, now_us: int) -> None:
        """The current step's action has been carried out: its wait counts from now."""
        self._begun = True
        self._since_us = now_us

    def look_again_us(self, now_us: int) -> int | None:
        """The time at which to ask again even if no event has come; None if there is none."""
        if not self._begun or self._index >= len(self._steps):
            return None
        step = self._steps[self._index]
        match step.awaited:
            case float(seconds):
                return self._since_us + round(seconds * 1e6)
            case Condition() as condition:
                deadline = self._since_us + round(step.within * 1e6)
                if any(map(_polled, condition.measures)):
                    return min(deadline, now_us + _POLL_US)
                return deadline
        return now_us

    def _missed(self, step: Step, condition: Condition, saw: str) -> Missed:
        return Missed(
            self._index,
            f"step {self._index + 1} ({step.action.describe()}) waited {step.within:g} s for"
            f" {condition}; last seen: {saw}",
        )


def _late(step: Step, waited_us: int) -> bool:
    return waited_us >= step.within * 1e6


def _polled(measure: Measure) -> bool:
    live = MEASURES[measure.name].live
    return live is not None and live.polled
