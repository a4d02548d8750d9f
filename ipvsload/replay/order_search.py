"""Whether the rule makes the measured choices, in the recorded order of events or in another one.

A decision is explained where the rule, with the counts of its moment, chooses the server that
was chosen. What is not sure is which of the other events, such as FINs, were before it. These
stand in lines, whose own order is sure (of one network card, say), and so do the decisions. So
an order is no more than a position in each line for each decision, which never goes back; a
position may leave out events or take in later ones where their times cannot tell. Of all such
courses of positions the one with the fewest decisions unexplained is taken, and of those the
one nearest to the recorded times: the Viterbi algorithm (Viterbi 1967; Forney, "The Viterbi
algorithm", 1973), decision by decision, over all positions that are possible there. It keeps the
`_MOST_COURSES` best ones, and settles after `_MOST_OPEN` decisions at the latest, so "no order
was found" can be wrong in theory; "an order was found" cannot.

A choice is `matched` where its course is at the recorded place there: just the events are before
it that are recorded before it. Any other that is explained is `consistent` at most.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from operator import le
from typing import NamedTuple

from ipvsload.replay.counted_events import UNKNOWN, CountedEvent
from ipvsload.replay.decision import ServerState, Verdict
from ipvsload.replay.event_line import EventLine, Span, Undecided
from ipvsload.replay.rule_state import Own, RuleState, Undo

_MOST_COURSES = 160
_MOST_OPEN = 2_048
_UNEXPLAINED = 10**15
"""What an unexplained decision costs, in the ns by which events are out of their places."""
_CHANGES, _EXPIRIES, _LINES = 2, 3, 4
"""The lines of the table's changes and of expiries; 0 and 1 are those of the two sides."""

Positions = tuple[int, ...]
"""One in each line: how many of its events are before a decision."""


class TooManyOrdersError(Exception):
    """So many positions are possible that the search would take too long."""


class Replayed(NamedTuple):
    """A decision, what the rule would have chosen at that moment, and the servers then."""

    event: CountedEvent
    predicted: int | None
    verdict: Verdict
    servers: tuple[ServerState, ...]


class _Course:
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
        before: "_Course | None",
        event: CountedEvent | None,
        predicted: int | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        self.cost, self.own = cost, own
        self.positions, self.changed = positions, positions[_CHANGES]
        self.before = before
        self.event, self.predicted, self.verdict = event, predicted, verdict


class OrderSearch:
    """One director's events against the rule. `otherwise` is said of a choice without an order.

    No event may have happened more than `span_ns` before or after its recorded time, nor more
    than `widest` events of its line from its place; `most_visited` positions are tried in all.
    With `told`, another state as `state` is at first, each decision has the servers' states.
    """

    def __init__(
        self,
        state: RuleState,
        otherwise: Verdict,
        span_ns: int,
        widest: int,
        most_visited: int,
        told: RuleState | None = None,
    ) -> None:
        self._state = state
        self._otherwise = otherwise
        self._span = span_ns
        self._widest = widest
        self._most_visited = most_visited
        self._told = told
        self._lines = [EventLine() for _ in range(_LINES)]
        self._untold: list[deque[CountedEvent]] = [deque() for _ in range(_LINES)]
        self._told_to = [0] * _LINES
        self._decisions: deque[CountedEvent] = deque()
        self._undecided: Undecided = {}
        start = _Course(0, state.own, (0,) * _LINES, None, None)
        self._courses = [start]
        self._open = self._visits = 0

    def run(self, events: Iterable[CountedEvent]) -> Iterator[Replayed]:
        """Each decision, in the order of the recorded times. Raises TooManyOrdersError."""
        source = iter(events)
        newest = next(source, None)
        decisions = self._decisions
        while True:
            while newest is not None and (
                not decisions or newest.t_ns <= decisions[0].late_ns + self._span
            ):
                self._read(newest)
                newest = next(source, None)
            if not decisions:
                break
            self._decide(decisions[0])
            client = decisions.popleft().client
            if client is not None:
                self._undecided.pop(client, None)
            if len(self._courses) == 1 or self._open > _MOST_OPEN:
                yield from self._settled()
        yield from self._settled()

    def _read(self, event: CountedEvent) -> None:
        if event.decision:
            self._decisions.append(event)
            if event.client is not None:
                self._undecided.setdefault(event.client, event.place)
            return
        line = _CHANGES if event.change else _EXPIRIES if event.line is None else event.line
        self._lines[line].events.append(event)
        if self._told is not None:
            self._untold[line].append(event)

    def _decide(self, event: CountedEvent) -> None:
        state = self._state
        spans = [line.span(event, self._undecided, self._widest) for line in self._lines]
        least = tuple(one[0] for one in spans)
        for line, position in zip(self._lines, least, strict=True):
            for passed in line.passed(position):
                state.apply(passed)
        recorded = tuple(one[1] for one in spans)
        courses = self._courses
        found: list[_Course] = []
        if recorded == least == tuple(one[2] for one in spans) and len(courses) == 1:
            found.append(self._after(courses[0], event, least, 0))
        else:
            reached = _Reached(courses, spans)
            for positions in self._visited(spans):
                self._visits += 1
                if self._visits > self._most_visited:
                    raise TooManyOrdersError
                before = reached.cheapest(positions)
                if before is not None:
                    apart = self._apart(event, positions, recorded)
                    found.append(self._after(before, event, positions, apart))
            found = _best(found)
        self._courses = found
        self._open += 1
        state.apply(event)

    def _after(
        self, before: _Course, event: CountedEvent, positions: Positions, apart_ns: int
    ) -> _Course:
        """The course that goes on to these positions, where the state is now, and decides there."""
        state = self._state
        state.own = before.own
        for _ in range(positions[_CHANGES] - before.changed):
            state.rule.changed()
        if event.asked:
            assert event.client is not None
            own = state.own
            predicted = state.rule.choose(event.client)
        else:
            predicted = event.followed
        cost = before.cost + apart_ns
        if predicted == event.chosen:
            verdict: Verdict | None = "consistent" if apart_ns else "matched"
        elif event.chosen is None or event.chosen == UNKNOWN:
            # Nobody knows that the director saw a SYN that it did not send on.
            verdict = None
            if event.chosen is None and event.asked:
                state.own = own
        else:
            verdict = self._otherwise
            cost += _UNEXPLAINED
            if event.asked:
                state.own = own
                state.follow(event.chosen)
        return _Course(cost, state.own, positions, before, event, predicted, verdict)

    def _visited(self, spans: list[Span]) -> Iterator[Positions]:
        """All positions, with the state as it is there; as before when all were asked for."""
        current = [least for least, _, _ in spans]
        varied = sorted(
            (line for line, (least, _, most) in enumerate(spans) if most > least),
            key=lambda line: spans[line][2] - spans[line][0],
        )
        state, lines = self._state, self._lines

        def visit(depth: int) -> Iterator[Positions]:
            if depth == len(varied):
                yield tuple(current)
                return
            number = varied[depth]
            least, _, most = spans[number]
            done: list[tuple[CountedEvent, Undo]] = []
            yield from visit(depth + 1)
            for position in range(least, most):
                event = lines[number].at(position)
                done.append((event, state.apply(event)))
                current[number] = position + 1
                yield from visit(depth + 1)
            for event, undo in reversed(done):
                state.take_back(event, undo)
            current[number] = least

        return visit(0)

    def _apart(self, event: CountedEvent, positions: Positions, recorded: Positions) -> int:
        """By how much (ns) events are out of their recorded places; 0: none is."""
        apart = 0
        for line, position, place in zip(self._lines, positions, recorded, strict=True):
            if position < place:
                apart += event.t_ns - line.at(position).t_ns + 1
            elif position > place:
                apart += line.at(position - 1).t_ns - event.t_ns + 1
        return apart

    def _settled(self) -> Iterator[Replayed]:
        """The decisions of the best course; the others are given up."""
        best = min(self._courses, key=lambda one: one.cost)
        self._courses, self._open = [best], 0
        chain = []
        one: _Course | None = best
        while one is not None and one.event is not None:
            chain.append(one)
            one = one.before
        for one in reversed(chain):
            assert one.event is not None
            servers = self._tell(one.event, one.positions)
            if one.verdict is not None:
                yield Replayed(one.event, one.predicted, one.verdict, servers)
        best.before, best.event = None, None
        best.cost = 0

    def _tell(self, event: CountedEvent, positions: Positions) -> tuple[ServerState, ...]:
        told = self._told
        if told is None:
            return ()
        for line, position in enumerate(positions):
            while self._told_to[line] < position:
                told.apply(self._untold[line].popleft())
                self._told_to[line] += 1
        servers = told.table()
        told.apply(event)
        return servers


class _Reached:
    """Courses by where they are, after what must have passed has passed."""

    def __init__(self, courses: list[_Course], spans: list[Span]) -> None:
        least = [one[0] for one in spans]
        self._at: dict[Positions, _Course] = {}
        for one in courses:  # the cheapest are first
            self._at.setdefault(tuple(map(max, one.positions, least)), one)
        varied = [line for line, (low, _, high) in enumerate(spans) if high > low]
        self._line = varied[0] if len(varied) == 1 else None
        self._best: _Course | None = None

    def cheapest(self, positions: Positions) -> _Course | None:
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


def _best(courses: list[_Course]) -> list[_Course]:
    courses.sort(key=lambda one: one.cost)
    most = courses[0].cost + _UNEXPLAINED
    return [one for one in courses[:_MOST_COURSES] if one.cost <= most]
