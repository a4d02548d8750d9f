"""Waits and expectations that name what does not exist, or that can never hold.

They are found before anything is started. A wait has live measures, and their
bounds are those at its point of the timeline; after the wait, what it has made
certain is known. An expectation is evaluated when the run is over, so it has
final measures; only those under `compare` name schedulers.
"""

import math
from collections.abc import Callable, Iterator

from ipvsload.scenario import tree
from ipvsload.scenario.balancers import BALANCERS
from ipvsload.scenario.bounds import Bound, Interval
from ipvsload.scenario.chance import Box, chance
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.measures import MEASURES, needs_capacity
from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.model import Scenario, Step
from ipvsload.scenario.names import OTHER_SECTIONS
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.variant import labels, unknown_label
from ipvsload.scenario.words import hint, listed, no_class, number, quoted


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
    faults = _misread(condition, loc, lambda measure: _misread_now(measure, state))
    if bounds and not faults and not chance(condition.root, _box(state)).true:
        faults = [Fault(loc, f"this wait cannot come true: {_why(condition, state)}", column=1)]
    for part in _parts(condition.root):
        if isinstance(part, tree.Read):  # no measure but `done` is a condition by itself
            for name, one in state.classes.items():
                if part.measure.class_ in (None, name):
                    one.cohorts = 0
    return faults


def _misread_now(measure: Measure, state: PlannedState) -> str | None:
    """Why a measure has no value in this wait, whatever happens."""
    reason = _no_capacity(measure, state) or _not_live(measure, "in a wait")
    if reason is not None:
        return reason
    if measure.server is not None and measure.server not in state.weights:
        return state.absence(measure.server)
    if measure.class_ is not None and measure.class_ not in state.classes:
        return no_class(measure.class_, state.classes, f" in {measure}")
    return None


def _not_live(measure: Measure, place: str) -> str | None:
    """Why a measure has no value while the load runs."""
    live = MEASURES[measure.name].live
    if live is None:
        return f"'{measure.name}' is known when the run is over; use it under 'expect'"
    if measure.scheduler is not None:
        return f"'scheduler' has no place {place}; a run has one scheduler"
    if measure.server is not None and "server" not in live.selectors:
        return f"'{measure.name}' takes no server {place}; that is known under 'expect'"
    if measure.kind is not None:
        return f"'{measure.name}' takes no kind {place}; that is known under 'expect'"
    return None


def check_stops(scenario: Scenario, end: PlannedState) -> list[Fault]:
    """Everything that is wrong under `stop-when`; `end` is the state after the timeline."""

    def misread(measure: Measure) -> str | None:
        return (
            _no_capacity(measure, end)
            or _not_live(measure, "under 'stop-when'")
            or _nobody(measure, scenario, end)
        )

    return [
        fault
        for index, condition in enumerate(scenario.stop_when)
        for fault in _misread(condition, ("stop-when", index), misread)
    ]


def _nobody(measure: Measure, scenario: Scenario, end: PlannedState) -> str | None:
    """That the class or the server of a measure is never there."""
    if measure.class_ is not None and measure.class_ not in scenario.traffic:
        return no_class(measure.class_, scenario.traffic, f" in {measure}")
    if measure.server is not None and measure.server > end.joined:
        numbers = "server 1" if end.joined == 1 else f"servers 1 to {end.joined}"
        return f"no server {measure.server} in {measure}; the timeline has {numbers}"
    return None


def _bound(measure: Measure, state: PlannedState) -> Bound:
    """What a measure can be at this point, or what a final one can be whatever the run does."""
    kind = MEASURES[measure.name]
    if kind.live is not None:  # a count that a wait reads has grown to its end after the timeline
        return kind.live.bound(state, measure)
    return Bound(Interval(0, 1 if kind.unit == "fraction" else math.inf), "")


def _box(state: PlannedState) -> Box:
    return lambda measure: _bound(measure, state).interval


def _why(condition: Condition, state: PlannedState) -> str:
    """The bounds of the part that fails, and what they come from."""
    failing = next(part for part in _parts(condition.root) if not chance(part, _box(state)).true)
    reasons = []
    for measure in dict.fromkeys(read.measure for read in tree.reads(failing)):
        interval, why = _bound(measure, state)
        because = f" ({why})" if why else ""
        reasons.append(f"{measure} {_range_now(measure, interval)} here{because}")
    return listed(reasons)


def _range_now(measure: Measure, interval: Interval) -> str:
    if MEASURES[measure.name].unit == "truth":
        return "cannot hold" if interval.high <= 0 else "may hold or not"
    unit = " s" if MEASURES[measure.name].unit == "s" else ""
    if interval.low == interval.high:
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


def _misread(condition: Condition, loc: Loc, why: Callable[[Measure], str | None]) -> list[Fault]:
    """The measures in a condition that have no value there; `why` says the reason, if any."""
    found: dict[int, str] = {}
    for read in condition.reads:  # of `failures > 5%`, both stand at one place
        text = why(read.measure)
        if text is not None:
            found.setdefault(read.column, text)
    return [Fault(loc, text, column=column) for column, text in found.items()]


def check_expectations(scenario: Scenario, end: PlannedState) -> list[Fault]:
    """Everything that is wrong under `expect`; `end` is the state after the timeline."""
    faults: list[Fault] = []
    for section, conditions in scenario.expect.items():
        loc: Loc = ("expect", section)
        if section not in OTHER_SECTIONS and not _has(scenario, section):
            faults.append(Fault(loc, _no_section(section, scenario), at_key=True))
        for index, condition in enumerate(conditions):
            compare = section == "compare"
            if isinstance(condition, Condition):
                faults += _expectation(condition, (*loc, index), compare, scenario, end)
    return faults


def _expectation(
    condition: Condition, loc: Loc, compare: bool, scenario: Scenario, end: PlannedState
) -> list[Fault]:
    faults = _misread(
        condition, loc, lambda measure: misread_at_end(measure, compare, scenario, end)
    )
    if faults or chance(condition.root, _box(end)).true:
        return faults
    ranges = listed(_range_at_end(measure, end) for measure in condition.measures)
    return [Fault(loc, f"this can never hold: {ranges}", column=1)]


def misread_at_end(
    measure: Measure, compare: bool, scenario: Scenario, end: PlannedState
) -> str | None:
    """Why a measure has no place in this expectation."""
    final = MEASURES[measure.name].final
    if reason := _no_capacity(measure, end):
        return reason
    if final is None:
        return f"'{measure.name}' is known while the load runs; use it in 'wait' or 'until'"
    given = {"class": measure.class_, "server": measure.server}
    for selector in final.needs:
        if given[selector] is None:
            return f"'{measure.name}' needs a {selector}, as in {measure.name}{{{selector}=...}}"
    nobody = _nobody(measure, scenario, end)
    if nobody is not None:
        return nobody
    if compare and measure.scheduler is None:
        example = f"scheduler={scenario.schedulers[0].label}"
        return f"'{measure.name}' needs a scheduler under 'compare', as in {example}"
    if not compare and measure.scheduler is not None:
        return "'scheduler' has its place under 'compare' only"
    if measure.scheduler is not None and not _has(scenario, measure.scheduler):
        return no_scheduler(measure.scheduler, scenario)
    return None


def _no_capacity(measure: Measure, state: PlannedState) -> str | None:
    """That no server says what only those with a capacity say."""
    if state.capacity is not None or not needs_capacity(measure):
        return None
    return (
        f"'{measure.name}' is known of servers with a capacity only; "
        "give them one under 'service', as in capacity: {workers: 8}"
    )


def _has(scenario: Scenario, label: str) -> bool:
    return any(one.label == label for one in scenario.schedulers)


def no_scheduler(name: str, scenario: Scenario) -> str:
    """Why a label is none of this scenario: it has others, or the word is nobody's."""
    if name in BALANCERS:
        return (
            f"'{name}' is not among the schedulers of this scenario ({labels(scenario.schedulers)})"
        )
    return f"unknown scheduler {quoted(name)}; {unknown_label(name, scenario.schedulers)}"


def _no_section(name: str, scenario: Scenario) -> str:
    if name in BALANCERS:
        return no_scheduler(name, scenario)
    known = dict.fromkeys([*(one.label for one in scenario.schedulers), *BALANCERS])
    near = hint(name, [*known, *OTHER_SECTIONS], "keys")
    return f"unknown scheduler {quoted(name)} under 'expect'; {near}"


def _range_at_end(measure: Measure, end: PlannedState) -> str:
    high = _bound(measure, end).interval.high
    values = "never below 0" if math.isinf(high) else f"between 0 and {number(high)}"
    return f"{measure} is {values}"
