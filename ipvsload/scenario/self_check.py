"""A scheduler compared with itself: two columns that are set alike, again and again.

What is more than noise there is a false alarm, whatever made it: too few blocks, a machine that
drifts, or a test that is wrong.
"""

from dataclasses import dataclass

from ipvsload.scenario.model import Scenario
from ipvsload.scenario.names import MAX_LABEL
from ipvsload.scenario.variant import Variant, of_label

BLOCKS = 10
"""Of each comparison, where nobody says how many."""
_AGAIN = "-again"
_THERE = "present"
"""The label of a balancer that nobody chose."""


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """The columns `label` and `again`, to be compared `comparisons` times.

    Each comparison has `blocks` of its own, in the order of the repeats. `apart`: the second
    column has arrivals and work of its own. The same ones would make the same run of both where
    nothing else is left to chance: on the model.
    """

    label: str
    again: str
    comparisons: int
    blocks: int = BLOCKS
    apart: bool = False

    @property
    def repeats(self) -> int:
        """How many blocks there are in all comparisons together."""
        return self.comparisons * self.blocks


def planned_self_check(
    variant: Variant, comparisons: int, blocks: int, *, apart: bool = False
) -> SelfCheck:
    """The check of this column."""
    label = variant.label or _THERE
    again = label[: MAX_LABEL - len(_AGAIN)] + _AGAIN
    return SelfCheck(label, again, comparisons, blocks, apart)


def checked_columns(variant: Variant, check: SelfCheck) -> tuple[Variant, Variant]:
    """The two columns, set as this one is."""
    first, second = (
        variant.model_copy(update={"label": label}) for label in (check.label, check.again)
    )
    return first, second


def compared_with_itself(scenario: Scenario, check: SelfCheck) -> Scenario:
    """The scenario with these columns. Nothing is expected of them but that they are alike."""
    changes: dict[str, object] = {"expect": {}, "baseline": check.label}
    if variant := of_label(check.label, scenario.schedulers):  # else it is the one that was there
        changes["schedulers"] = checked_columns(variant, check)
    changed: Scenario = scenario.model_copy(update=changes)
    return changed
