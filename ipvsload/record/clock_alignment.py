"""How far another machine's clock is from ours, out of a few messages there and back."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alignment:
    """The other clock less ours, in ns, right to within `uncertainty_ns` either way."""

    offset_ns: int
    uncertainty_ns: int

    def to_ours(self, t_ns: int) -> int:
        """A time on the other clock, on ours."""
        return t_ns - self.offset_ns


def align(exchanges: Iterable[tuple[int, int, int]]) -> Alignment:
    """The alignment out of (sent, answered, received) times in ns: ours, theirs, ours.

    The quickest exchange says most: the answer was made between `sent` and
    `received`, so the middle is wrong by half the round trip at most. Raises
    ValueError where there is no exchange.
    """
    sent, theirs, received = min(exchanges, key=lambda one: one[2] - one[0])
    round_trip = received - sent
    return Alignment(theirs - (sent + received) // 2, (round_trip + 1) // 2)
