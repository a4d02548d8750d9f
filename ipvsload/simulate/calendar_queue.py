"""What is to come, in the order of time, where much is to come: a calendar queue.

A heap of the ten thousands of connections that ten thousand servers have at once costs more than
the choice among the servers, because each step goes somewhere else in memory. Here what is
due within the same short span stands in a list, which is sorted when its time comes
(Brown, "Calendar queues", Communications of the ACM 31, 1988).
"""

from bisect import insort
from heapq import heappop, heappush

from ipvsload.ipvs_model.timer_wheel import NEVER

_SPAN = 17
"""2 to this power ns is the length of a span: 131 us."""


class CalendarQueue:
    """Things are whole numbers from 0 to `things` - 1; any may be there many times. Times are ns.

    What is due at the same time comes in the order of their numbers.
    """

    def __init__(self, things: int) -> None:
        self._things = things
        self._spans: dict[int, list[int]] = {}
        self._later = [NEVER]
        """A heap of the spans that have something."""
        self._next: list[int] = []
        """What is due next, the latest first: time and thing in one number, negated."""
        self._begun = -1
        """The span of that."""

    def __bool__(self) -> bool:
        return bool(self._next) or len(self._later) > 1

    @property
    def earliest_ns(self) -> int:
        """Nothing is due before this time."""
        if self._next:
            return -self._next[-1] // self._things
        return self._later[0] << _SPAN

    def put(self, due_ns: int, thing: int) -> None:
        """The thing is due then, which must not be before the time of the last `take`."""
        entry = -(due_ns * self._things + thing)
        span = due_ns >> _SPAN
        if span in self._spans:
            self._spans[span].append(entry)
        elif span <= self._begun:
            insort(self._next, entry)
        else:
            self._spans[span] = [entry]
            heappush(self._later, span)

    def take(self, now_ns: int) -> list[int]:
        """Take out what is due by now, the earliest first."""
        taken = []
        things, coming, later = self._things, self._next, self._later
        last, span = -(now_ns + 1) * things, now_ns >> _SPAN
        while True:
            while coming and coming[-1] > last:
                taken.append(-coming.pop() % things)
            if later[0] > span:
                return taken
            self._begun = heappop(later)
            coming = self._next = self._spans.pop(self._begun)
            coming.sort()
