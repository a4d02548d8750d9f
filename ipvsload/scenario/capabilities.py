"""What a testbed may be unable to do, and whether a scenario asks for it.

Checked before anything is touched, so that a scenario that cannot be played
changes nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

from ipvsload.errors import UsageError

Capability = Literal["scheduler", "weight", "scale", "kill", "weights", "clients"]
"""Four changes while a run goes on, weights at its beginning, several client addresses."""


class Needing(Protocol):
    """A scenario, as far as this check knows it."""

    @property
    def name(self) -> str:
        """The scenario's name, for messages."""

    def needs(self) -> Iterable[tuple[Capability, str]]:
        """Each capability that it needs, with the words of the file that need it."""


def check_capabilities(scenario: Needing, lacks: Mapping[Capability, str]) -> None:
    """Raise UsageError for the first thing that the scenario needs and a testbed lacks.

    `lacks` has the reason for each capability that the testbed does not have.
    """
    for capability, words in scenario.needs():
        if capability in lacks:
            raise UsageError(f"scenario {scenario.name} wants `{words}`: {lacks[capability]}")
