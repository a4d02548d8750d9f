"""Events of one director whose order among themselves is sure."""

from collections.abc import Iterator

from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.replay.counted_events import CountedEvent

Span = tuple[int, int, int]
"""The least position, the recorded one, and the greatest; they count from the first event ever."""

Undecided = dict[Client, int]
"""Places of decisions that are not made yet, by their clients."""


class EventLine:
    """Those that are not certainly before all decisions to come."""

    def __init__(self) -> None:
        self.events: list[CountedEvent] = []
        self._first = 0

    def at(self, position: int) -> CountedEvent:
        """The event behind this position."""
        return self.events[position - self._first]

    def span(self, decision: CountedEvent, undecided: Undecided, widest: int) -> Span:
        """Where the decision may stand, so many positions from the recorded one at most.

        A connection's events are after its own decision.
        """
        least = recorded = most = self._first
        sure = possible = True
        for event in self.events:
            if event.place < decision.place:
                recorded += 1
                if sure and event.late_ns < decision.early_ns:
                    least += 1
                else:
                    sure = False
            elif not possible or most >= recorded + widest:
                break
            if possible:
                own = undecided.get(event.client, event.place) if event.client else event.place
                possible = event.early_ns <= decision.late_ns and own >= event.place
                most += possible
        return max(least, recorded - widest), recorded, most

    def passed(self, least: int) -> Iterator[CountedEvent]:
        """The events before this position, which are forgotten."""
        many = least - self._first
        yield from self.events[:many]
        del self.events[:many]
        self._first = least
