"""Courses of positions, of which the search for an order (order_search.py) keeps the best."""

from operator import le

from ipvsload.replay.counted_events import CountedEvent
from ipvsload.replay.decision import Verdict
from ipvsload.replay.event_line import Span
from ipvsload.replay.rule_state import Own

MOST_COURSES = 160
CHANGES = 2
"""The line of the table's changes."""
UNEXPLAINED = 10**15
"""What an unexplained decision costs, in the ns by which events are out of their places."""

Positions = tuple[int, ...]
"""One in each line: how many of its events are before a decision."""


class Course:
    """The best course to some positions, and its last decision with its outcome.

    `own` is what the rule keeps after it, `changed` the position in the line of the table's
    changes. `verdict` is None where it is no decision after all.
    """

    __slots__ = ("before", "changed", "cost", "event", "own", "positions", "predicted", "verdict")

    def __init__(
        self,
        cost: int,
        own: Own,
        positions: Positions,
        before: "Course | None",
        event: CountedEvent | None,
        predicted: int | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        self.cost, self.own = cost, own
        self.positions, self.changed = positions, positions[CHANGES]
        self.before = before
        self.event, self.predicted, self.verdict = event, predicted, verdict


class Reached:
    """Courses by where they are, after what must have passed has passed."""

    def __init__(self, courses: list[Course], spans: list[Span]) -> None:
        least = [one[0] for one in spans]
        self._at: dict[Positions, Course] = {}
        for one in courses:  # the cheapest are first
            self._at.setdefault(tuple(map(max, one.positions, least)), one)
        varied = [line for line, (low, _, high) in enumerate(spans) if high > low]
        self._line = varied[0] if len(varied) == 1 else None
        self._best: Course | None = None

    def cheapest(self, positions: Positions) -> Course | None:
        """The cheapest course from which these positions can still be reached.

        Where one line alone varies, to be asked in ascending order.
        """
        if self._line is not None:
            one = self._at.get(positions)
            if one is not None and (self._best is None or one.cost < self._best.cost):
                self._best = one
            return self._best
        best = None
        for place, one in self._at.items():
            if (best is None or one.cost < best.cost) and all(map(le, place, positions)):
                best = one
        return best


def best_courses(courses: list[Course]) -> list[Course]:
    """Those that are kept, the cheapest first."""
    courses.sort(key=lambda one: one.cost)
    most = courses[0].cost + UNEXPLAINED
    return [one for one in courses[:MOST_COURSES] if one.cost <= most]
