"""What a run still has to do at a time of its own: a flapping server goes and comes.

Steps of the timeline wait for events; these do not, and go on beside them.
"""

from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count

from ipvsload.errors import UsageError
from ipvsload.experiment.clock import Clock


class LaterActions:
    """Things to do, by their times on the run's clock; of one time, in their order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order = count()
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []

    def add(self, seconds: float, act: Callable[[], None]) -> None:
        """Have `act` called in so many seconds."""
        due_us = self._clock.now_us() + round(seconds * 1e6)
        heappush(self._waiting, (due_us, next(self._order), act))

    def until_us(self, other_us: int | None) -> int | None:
        """When the next is due, or `other_us` where that is earlier; None where neither is."""
        due = [self._waiting[0][0]] if self._waiting else []
        return min([*due, *([] if other_us is None else [other_us])], default=None)

    def do_due(self) -> None:
        """Do what is due, unless it cannot be done any more. Raises what else it raises."""
        while self._waiting and self._waiting[0][0] <= self._clock.now_us():
            act = heappop(self._waiting)[2]
            with suppress(UsageError):  # its server has left or died since
                act()
