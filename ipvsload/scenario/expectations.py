"""Expectations that name what does not exist, or that no run could meet.

An expectation is evaluated when the run is over, so it has final measures; only
those under `compare` name schedulers.
"""

import math

from ipvsload.scenario.bounds import Interval
from ipvsload.scenario.chance import chance
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.words import listed, no_class, number


def check_expectations(scenario: Scenario, end: PlannedState) -> list[Fault]:
    """Everything that is wrong under `expect`; `end` is the state after the timeline."""
    faults: list[Fault] = []
    for section, conditions in scenario.expect.items():
        loc: Loc = ("expect", section)
        if section not in ("all", "compare", *scenario.schedulers):
            names = listed(scenario.schedulers)
            text = f"'{section}' is not among the schedulers of this scenario ({names})"
            faults.append(Fault(loc, text, at_key=True))
        for index, condition in enumerate(conditions):
            compare = section == "compare"
            faults += _expectation(condition, (*loc, index), compare, scenario, end)
    return faults


def _expectation(
    condition: Condition, loc: Loc, compare: bool, scenario: Scenario, end: PlannedState
) -> list[Fault]:
    faults = [
        Fault(loc, text, column=read.column)
        for read in condition.reads
        if (text := _misread(read.measure, compare, scenario, end)) is not None
    ]
    if faults or chance(condition.root, lambda measure: _bound(measure, end)).true:
        return faults
    bounds = [f"{measure} is {_range(_bound(measure, end))}" for measure in condition.measures]
    return [Fault(loc, f"this can never hold: {listed(bounds)}", column=1)]


def _misread(measure: Measure, compare: bool, scenario: Scenario, end: PlannedState) -> str | None:
    final = MEASURES[measure.name].final
    if final is None:
        return f"'{measure.name}' is known while the load runs; use it in 'wait' or 'until'"
    given = {"class": measure.class_, "server": measure.server}
    for selector in final.needs:
        if given[selector] is None:
            return f"'{measure.name}' needs a {selector}, as in {measure.name}{{{selector}=...}}"
    if measure.class_ is not None and measure.class_ not in scenario.traffic:
        return no_class(measure.class_, scenario.traffic, f" in {measure}")
    if measure.server is not None and measure.server > end.joined:
        numbers = "server 1" if end.joined == 1 else f"servers 1 to {end.joined}"
        return f"no server {measure.server} in {measure}; the timeline has {numbers}"
    if compare and measure.scheduler is None:
        example = f"scheduler={scenario.schedulers[0]}"
        return f"'{measure.name}' needs a scheduler under 'compare', as in {example}"
    if not compare and measure.scheduler is not None:
        return "'scheduler' has its place under 'compare' only"
    if measure.scheduler is not None and measure.scheduler not in scenario.schedulers:
        names = listed(scenario.schedulers)
        return f"'{measure.scheduler}' is not among the schedulers of this scenario ({names})"
    return None


def _bound(measure: Measure, end: PlannedState) -> Interval:
    """What a final measure can be, whatever the run does."""
    kind = MEASURES[measure.name]
    if kind.unit == "fraction":
        return Interval(0, 1)
    # A count that a wait reads too has grown to its end.
    return kind.live.bound(end, measure).interval if kind.live else Interval(0, math.inf)


def _range(bound: Interval) -> str:
    if math.isinf(bound.high):
        return "never below 0"
    return f"between 0 and {number(bound.high)}"
