"""The users of a closed workload whose number changes while it runs."""

import time
from collections.abc import Callable, Iterator
from functools import partial

from ipvsload.load.closed_user import ClosedUser
from ipvsload.load.timers import Timers


class RampedUsers:
    """Has users come and go; who came last goes first.

    Args:
        timers: in whose loop they do.
        goes_on: whether the workload still sends.
        add: has so many users join, now or soon: Locust's take a moment.
        leave: lets a user finish its request and go.
    """

    def __init__(
        self,
        timers: Timers,
        goes_on: Callable[[], bool],
        add: Callable[[int], None],
        leave: Callable[[ClosedUser], None],
    ) -> None:
        self._timers, self._goes_on, self._add, self._leave = timers, goes_on, add, leave
        self._there: list[ClosedUser] = []
        self._too_many = 0

    def play(self, origin_ns: int, changes: Iterator[tuple[int, int]]) -> None:
        """Change them as planned; see `user_pacing.user_changes`."""
        self._play(origin_ns, changes, next(changes, None))

    def joined(self, user: ClosedUser) -> None:
        """A user is there; one that was to go before it came goes at once."""
        if self._too_many:
            self._too_many -= 1
            self._leave(user)
        else:
            self._there.append(user)

    def _play(
        self, origin_ns: int, later: Iterator[tuple[int, int]], change: tuple[int, int] | None
    ) -> None:
        while change is not None and self._goes_on():
            due = origin_ns + change[0]
            if due > time.monotonic_ns():
                self._timers.at(due, partial(self._play, origin_ns, later, change))
                return
            if change[1] > 0:
                self._add(1)
            elif self._there:
                self._leave(self._there.pop())
            else:
                self._too_many += 1
            change = next(later, None)
