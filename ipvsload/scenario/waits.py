"""Waits that cannot come true, found before anything is started.

Each condition is compared with the bounds of what it measures at its point of
the timeline. After the wait, what it has made certain is known.
"""

import math
from collections.abc import Iterator

from ipvsload.scenario import tree
from ipvsload.scenario.bounds import Bound, Interval
from ipvsload.scenario.chance import Box, chance
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.model import Step
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.words import listed, no_class, number


def check_wait(step: Step, loc: Loc, state: PlannedState, bounds: bool) -> list[Fault]:
    """Return what is wrong with a step's wait, and move the state past it.

    Without `bounds` only its names are checked, not whether it can come true.
    """
    condition = step.awaited
    if isinstance(condition, float):
        state.pass_time(condition, condition)
    if not isinstance(condition, Condition):
        return []
    loc = (*loc, "until" if step.until is not None else step.action.key)
    # The wait can last up to its deadline, and the bounds are those of its end.
    state.pass_time(0, step.within)
    faults = [
        Fault(loc, text, column=read.column)
        for read in condition.reads
        if (text := _misread(read.measure, state)) is not None
    ]
    if bounds and not faults and not chance(condition.root, _box(state)).true:
        faults = [Fault(loc, f"this wait cannot come true: {_why(condition, state)}", column=1)]
    for name in _made_done(condition.root, state):
        state.settle(name)
    return faults


def _misread(measure: Measure, state: PlannedState) -> str | None:
    """Why a measure has no value here, whatever happens."""
    live = MEASURES[measure.name].live
    if live is None:
        return f"'{measure.name}' is known when the run is over; use it under 'expect'"
    if measure.scheduler is not None:
        return "'scheduler' has no place in a wait; a run has one scheduler"
    if measure.server is not None and "server" not in live.selectors:
        return f"'{measure.name}' takes no server in a wait; that is known under 'expect'"
    if measure.server is not None and measure.server not in state.weights:
        return state.absence(measure.server)
    if measure.class_ is not None and measure.class_ not in state.classes:
        return no_class(measure.class_, state.classes, f" in {measure}")
    return None


def _bound(measure: Measure, state: PlannedState) -> Bound:
    live = MEASURES[measure.name].live
    assert live is not None  # else it was refused as misread
    return live.bound(state, measure)


def _box(state: PlannedState) -> Box:
    return lambda measure: _bound(measure, state).interval


def _why(condition: Condition, state: PlannedState) -> str:
    """The bounds of the part that fails, and what they come from."""
    failing = next(part for part in _parts(condition.root) if not chance(part, _box(state)).true)
    reasons = []
    for measure in dict.fromkeys(read.measure for read in tree.reads(failing)):
        interval, why = _bound(measure, state)
        because = f" ({why})" if why else ""
        reasons.append(f"{measure} {_range(measure, interval)} here{because}")
    return listed(reasons)


def _range(measure: Measure, interval: Interval) -> str:
    if MEASURES[measure.name].unit == "truth":
        return "cannot hold" if interval.high <= 0 else "may hold or not"
    unit = " s" if MEASURES[measure.name].unit == "s" else ""
    if interval.exact:
        return f"is {number(interval.low)}{unit}"
    if interval.low <= 0:
        high = interval.high
        return f"is at most {number(high)}{unit}" if math.isfinite(high) else "is never below 0"
    return f"is between {number(interval.low)} and {number(interval.high)}{unit}"


def _parts(node: tree.Truth) -> Iterator[tree.Truth]:
    """What must hold for the whole to hold; the whole itself comes last."""
    if isinstance(node, tree.And):
        for part in node.parts:
            yield from _parts(part)
    yield node


def _made_done(node: tree.Truth, state: PlannedState) -> Iterator[str]:
    """The classes that are certainly done once this holds."""
    for part in _parts(node):
        if isinstance(part, tree.Read):
            name = part.measure.class_
            if name is None:
                yield from state.classes
            elif name in state.classes:
                yield name
