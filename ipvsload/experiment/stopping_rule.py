"""Who decides that an experiment has blocks enough, where nobody has said how many."""

from typing import Protocol

from ipvsload.results.precision import BlockDecision


class StoppingRule(Protocol):
    """Is asked after each block whether another one is needed."""

    @property
    def precision(self) -> float:
        """How narrow intervals are to be, to either side."""

    def after(self, blocks: int, most: int) -> BlockDecision:
        """So many blocks of `most` are over, and recorded. Raises InvalidRunError."""
