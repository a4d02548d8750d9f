"""What is told how a run goes on: the display on the terminal, or the web page."""

from collections.abc import Callable

from ipvsload.experiment.run_state import RunState
from ipvsload.experiment.timeline import Timeline
from ipvsload.record.events import Event


class Progress:
    """Shows a run. It is told often, and decides itself how often it draws.

    Subclasses show what they want to; this one shows nothing.
    """

    def begin(self, label: str, repeat: int, repeats: int) -> None:
        """A run begins; without a label it is of the balancer that is there.

        `repeats` is how many there will be; 0 where nobody knows.
        """

    def block_over(self, words: str) -> None:
        """A repeat is over: how wide the intervals are now. Only where that decides of more."""

    def happened(self, event: Event) -> None:
        """An event was recorded."""

    def update(self, state: RunState, timeline: Timeline) -> None:
        """Something may have changed."""

    def close(self) -> None:
        """Nothing more will come."""


class BlocksTold(Progress):
    """Says of a block that is over what there is to say, and nothing else."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def block_over(self, words: str) -> None:
        """Say it."""
        self._say(words)
