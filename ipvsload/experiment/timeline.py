"""The timeline of one run as a state machine, without a clock or a kernel.

Its caller carries out what it says, and asks again after each event (a sample,
a class that is done) and when a deadline passes. A step begins when the step
before it is over, not after a time that was guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ipvsload.experiment.run_state import RunState
from ipvsload.scenario.expression import Condition, Extremes
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.model import Step
from ipvsload.scenario.tree import Lookup


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
        self._since_us: int | None = None
        """Since when the current step waits; None while it has not begun."""
        self._extremes = Extremes()
        """The least and the most that the current step's measures were while it waited."""

    @property
    def current(self) -> tuple[int, Step] | None:
        """The step that is running or comes next, and its index."""
        return (self._index, self._steps[self._index]) if self._index < len(self._steps) else None

    def ask(self, state: RunState, now_us: int) -> Turn | None:
        """What to do now; None means nothing before the next event."""
        if self.current is None:
            return Over()
        index, step = self.current
        if self._since_us is None:
            self.begun(now_us)
            return Begin(index, step)
        waited_us = now_us - self._since_us
        saw = ""
        match step.awaited:
            case Condition() as condition:
                lookup = state.lookup(now_us, self._since_us)
                saw = condition.describe(lookup)
                self._note_extremes(condition, lookup)
                if not condition.evaluate(lookup).held:
                    if waited_us < _us(step.within):
                        return None
                    between = condition.describe_extremes(self._extremes)
                    return Missed(
                        index,
                        f"step {index + 1} ({step.action.describe()}) waited {step.within:g} s for"
                        f" {condition}; last seen: {saw}"
                        + (f"; meanwhile {between}" if between else ""),
                    )
            case float(seconds) if waited_us < _us(seconds):
                return None
        self._index += 1
        self._since_us = None
        return Done(index, saw, waited_us)

    def begun(self, now_us: int) -> None:
        """The current step's action has been carried out: its wait counts from now."""
        self._since_us = now_us
        self._extremes = Extremes()

    def _note_extremes(self, condition: Condition, lookup: Lookup) -> None:
        for measure in condition.measures:
            value = lookup(measure)
            if value is not None:
                least, most = self._extremes.get(measure, (value, value))
                self._extremes[measure] = min(least, value), max(most, value)

    def look_again_us(self, now_us: int) -> int | None:
        """The time at which to ask again even if no event has come; None if there is none."""
        if self.current is None or self._since_us is None:
            return None
        _, step = self.current
        match step.awaited:
            case float(seconds):
                return self._since_us + _us(seconds)
            case Condition() as condition:
                deadline = self._since_us + _us(step.within)
                live = (MEASURES[measure.name].live for measure in condition.measures)
                if any(one is not None and one.polled for one in live):
                    return min(deadline, now_us + _POLL_US)
                return deadline
        return now_us


def _us(seconds: float) -> int:
    """Whole µs: a virtual clock stops at them, and 700 ms are 0.7000000000000001 s."""
    return round(seconds * 1e6)
