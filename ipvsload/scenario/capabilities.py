"""What a testbed may be unable to do, and whether a scenario asks for it.

Checked before anything is touched, so that a scenario that cannot be played
changes nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from ipvsload.errors import UsageError

Capability = Literal[
    "scheduler",
    "weight",
    "scale",
    "faults",
    "weights",
    "shares",
    "clients",
    "family",
    "source-ports",
    "directors",
    "capacity",
    "forwarding",
    "table",
    "flags",
    "persistence",
    "netmask",
    "sysctls",
    "timeouts",
]
"""What a scenario may ask for; `Scenario.needs` and the actions say when it does. "shares" are
weights above 1. The last five are set besides a scheduler (variant.py)."""


def check_capabilities(
    scenario: str,
    needs: Iterable[tuple[Capability, str]],
    lacks: Mapping[Capability, str],
    schedulers: Iterable[str] = (),
) -> None:
    """Raise UsageError for the first thing that a scenario needs and a testbed lacks.

    `needs` has the words of the file that need each capability; `lacks` has the
    reason for each capability that the testbed does not have. `schedulers` were
    asked for besides: whether the balancer has them, its table says.
    """
    if "table" in lacks:
        for name in schedulers:
            raise UsageError(f"--scheduler {name}: {lacks['table']}")
    for capability, words in needs:
        if capability in lacks:
            raise UsageError(f"scenario {scenario} wants `{words}`: {lacks[capability]}")
