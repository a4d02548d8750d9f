"""Events of one director whose order among themselves is sure."""

from collections.abc import Iterator

import numpy as np

from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.server_list import Counts
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

    def moved(self, least: int, most: int, servers: int) -> tuple[Counts, Counts, Counts]:
        """By how much counts at each position from `least` to `most` are more than at `least`.

        Active and inactive connections of each server, in the order of the list; and the times
        (ns) of the events between.
        """
        events = self.events[least - self._first : most - self._first]
        active, inactive = np.zeros((2, len(events) + 1, servers), np.int64)
        changed = [
            (row, servers - 1 - number, more_active, more_inactive)
            for row, event in enumerate(events, 1)
            for number, more_active, more_inactive in event.counts
        ]
        if changed:
            rows, places, of_active, of_inactive = zip(*changed, strict=True)
            at = list(rows), list(places)
            # A server is in an event's counts once at most.
            active[at] = of_active
            inactive[at] = of_inactive
        times = np.array([event.t_ns for event in events], np.int64)
        return active.cumsum(axis=0), inactive.cumsum(axis=0), times

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
