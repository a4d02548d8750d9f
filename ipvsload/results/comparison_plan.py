"""What of a scenario's columns is compared: by which measures, and against which column."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ipvsload.scenario.measured_difference import DEFAULT_MARGIN
from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.model import Scenario

BY_DEFAULT = ("latency_p95", "failed_share")
"""The measures of each class that are compared where the scenario names none."""


class ComparisonPlan(NamedTuple):
    """`measures` are those under test."""

    baseline: str | None
    margin: float
    measures: tuple[Measure, ...]

    def baseline_among(self, columns: Sequence[str]) -> str | None:
        """The baseline's label; the first column where it is not there or none was named."""
        return self.baseline if self.baseline in columns else next(iter(columns), None)


def comparison_plan(scenario: Scenario | None) -> ComparisonPlan:
    """As the scenario says; without one nothing is compared.

    What is expected of a comparison has its measure tested, too.
    """
    if scenario is None:
        return ComparisonPlan(None, DEFAULT_MARGIN, ())
    usual = (Measure(name, class_=one) for one in scenario.traffic for name in BY_DEFAULT)
    named = (one.measure for one in scenario.expected_comparisons)
    measures = dict.fromkeys((*(scenario.measures or usual), *named))
    return ComparisonPlan(scenario.baseline, scenario.margin, tuple(measures))


def column_order(played: Iterable[str], columns: Iterable[str]) -> list[str]:
    """The labels that were played, in the order of the columns, and others after these."""
    found = dict.fromkeys(played)
    return [label for label in dict.fromkeys((*columns, *found)) if label in found]
