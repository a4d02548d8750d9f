"""Which schedulers of a scenario are to be run: `--scheduler`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ipvsload.cli.terminal import say
from ipvsload.errors import UsageError

if TYPE_CHECKING:
    from ipvsload.scenario.model import Scenario
    from ipvsload.scenario.variant import Variant


def wanted_variants(labels: Iterable[str], scenario: "Scenario") -> "tuple[Variant, ...]":
    """Those of these labels, or all of the scenario. Raises UsageError for one that is none."""
    found = tuple(_variant(label, scenario) for label in labels) or scenario.schedulers
    if scenario.baseline and all(one.label != scenario.baseline for one in found):
        say(f"the baseline {scenario.baseline} is not run: {found[0].label} takes its place")
    return found


def _variant(label: str, scenario: "Scenario") -> "Variant":
    from ipvsload.scenario.variant import of_label, unknown_label

    found = of_label(label, scenario.schedulers)
    if found is None:
        near = unknown_label(label, scenario.schedulers)
        raise UsageError(
            f"--scheduler {label[:64]!r} is neither a label of the scenario nor a scheduler; {near}"
        )
    return found
