"""The two columns of a self-check are set alike, under labels that a record may have."""

import re
from pathlib import Path

from ipvsload.scenario.load import load
from ipvsload.scenario.names import LABEL_PATTERN, MAX_LABEL
from ipvsload.scenario.self_check import checked_columns, compared_with_itself, planned_self_check
from ipvsload.scenario.variant import PRESENT, Variant

SKEW = Path(__file__).parents[2] / "scenarios" / "skew.yaml"


def test_both_columns_are_set_alike() -> None:
    variant = Variant(scheduler="sh", flags=("sh-port",), label="x" * MAX_LABEL)
    check = planned_self_check(variant, 4, 10)
    first, second = checked_columns(variant, check)
    assert first == variant
    assert second.label == "x" * (MAX_LABEL - 6) + "-again"
    assert re.match(LABEL_PATTERN, second.label)
    assert (second.scheduler, second.settings) == (first.scheduler, first.settings)


def test_the_scenario_of_a_check_expects_nothing_and_has_its_columns() -> None:
    scenario = load(SKEW)
    check = planned_self_check(Variant(scheduler="sed"), 2, 5)
    changed = compared_with_itself(scenario, check)
    assert [one.label for one in changed.schedulers] == ["sed", "sed-again"]
    assert [one.scheduler for one in changed.schedulers] == ["sed", "sed"]
    assert changed.expect == {}
    assert changed.timeline == scenario.timeline


def test_a_balancer_that_nobody_chose_has_two_labels_too() -> None:
    check = planned_self_check(PRESENT, 2, 5)
    assert [one.label for one in checked_columns(PRESENT, check)] == ["present", "present-again"]
    scenario = load(SKEW)
    assert compared_with_itself(scenario, check).schedulers == scenario.schedulers
