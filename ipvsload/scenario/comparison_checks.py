"""What the whole scenario shows to be wrong with how its schedulers are to be compared."""

from collections.abc import Iterator

from ipvsload.scenario.comparison_expectation import ComparisonExpectation
from ipvsload.scenario.condition_checks import misread_at_end, no_scheduler
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.planned_state import PlannedState


def check_comparisons(scenario: Scenario, end: PlannedState) -> Iterator[Fault]:
    """Everything that is wrong with `baseline`, `measures` and comparisons under `expect`.

    `end` is the state after the timeline.
    """
    known = {one.label for one in scenario.schedulers}
    if scenario.baseline is not None and scenario.baseline not in known:
        yield Fault(("baseline",), no_scheduler(scenario.baseline, scenario))
    for index, measure in enumerate(scenario.measures):
        loc: Loc = ("measures", index)
        if reason := misread_at_end(measure, False, scenario, end):
            yield Fault(loc, reason, column=1)
        elif measure in scenario.measures[:index]:
            yield Fault(loc, f"'{measure}' is listed twice; take one away", column=1)
    for section, expected in scenario.expect.items():
        for index, one in enumerate(expected):
            if isinstance(one, ComparisonExpectation):
                yield from _expected(one, section, ("expect", section, index), scenario, end)


def _expected(
    one: ComparisonExpectation, section: str, loc: Loc, scenario: Scenario, end: PlannedState
) -> Iterator[Fault]:
    if section != "compare":
        text = f"'{one.verdict}' compares two schedulers, and has its place under 'compare' only"
        yield Fault(loc, text, column=1)
        return
    if reason := misread_at_end(one.measure, False, scenario, end):
        yield Fault(loc, reason, column=one.read.read.column)
    known = {variant.label for variant in scenario.schedulers}
    for label, column in (one.read.first, one.read.second):
        if label not in known:
            yield Fault(loc, no_scheduler(label, scenario), column=column)
