"""What of a scenario's columns is compared: by which measures, and against which column."""

from typing import NamedTuple

from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.model import Scenario

MARGIN = 0.05
"""A smaller difference matters to nobody, as a part of what it is a difference from."""
BY_DEFAULT = ("latency_p95", "failed_share")
"""The measures of each class that are compared where the scenario names none."""


class ComparisonPlan(NamedTuple):
    """`baseline` is a column's label, None for the first one; `measures` are those under test."""

    baseline: str | None
    margin: float
    measures: tuple[Measure, ...]


def comparison_plan(scenario: Scenario | None) -> ComparisonPlan:
    """As the scenario says; without one nothing is compared."""
    classes = scenario.traffic if scenario else ()
    measures = tuple(Measure(name, class_=one) for one in classes for name in BY_DEFAULT)
    return ComparisonPlan(None, MARGIN, measures)
