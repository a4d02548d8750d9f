"""A recording in which a scheduler was compared with itself: the check's result and verdict."""

from dataclasses import replace

from ipvsload.results.comparison_plan import comparison_plan
from ipvsload.results.false_alarms import SelfCheckResult, self_check_result
from ipvsload.results.results import Results, VerdictName
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.self_check import SelfCheck

MOST_LEFT_OUT = 0.1
"""Of the blocks. A comparison with few blocks finds nothing, and so raises no false alarm."""


def self_checked(found: Results, check: SelfCheck, scenario: Scenario | None) -> Results:
    """The results with the check's. Its verdict is theirs: nothing else was expected.

    A run that is not valid takes its block out of the comparison, and does not make the
    recording invalid by itself: of hundreds there may be some.
    """
    result = self_check_result(check, found.columns, comparison_plan(scenario).margin)
    return replace(found, self_check=result, verdict=_verdict(found, result))


def _verdict(found: Results, result: SelfCheckResult) -> VerdictName:
    planned = result.asked * result.blocks
    if found.ends or result.left_out > MOST_LEFT_OUT * planned:
        return "invalid"
    return "failed" if result.too_many else "held"
