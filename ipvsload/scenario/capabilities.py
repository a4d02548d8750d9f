"""What a testbed may be unable to do, and whether a scenario asks for it.

Checked before anything is touched, so that a scenario that cannot be played
changes nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from ipvsload.errors import UsageError

Capability = Literal["scheduler", "weight", "scale", "kill", "weights", "clients"]
"""Four changes while a run goes on, weights at its beginning, several client addresses."""


def check_capabilities(
    scenario: str, needs: Iterable[tuple[Capability, str]], lacks: Mapping[Capability, str]
) -> None:
    """Raise UsageError for the first thing that a scenario needs and a testbed lacks.

    `needs` has the words of the file that need each capability; `lacks` has the
    reason for each capability that the testbed does not have.
    """
    for capability, words in needs:
        if capability in lacks:
            raise UsageError(f"scenario {scenario} wants `{words}`: {lacks[capability]}")
