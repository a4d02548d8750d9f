"""Whether the rule makes the measured choices, in the recorded order of events or in another one.

A decision is explained where the rule, with the counts of its moment, chooses the server that
was chosen. What is not sure is which of the other events, such as FINs, were before it. These
stand in lines, whose own order is sure (of one network card, say), and so do the decisions. So
an order is no more than a position in each line for each decision, which never goes back; a
position may leave out events or take in later ones where their times cannot tell. Of all such
courses of positions the one with the fewest decisions unexplained is taken, and of those the
one nearest to the recorded times: the Viterbi algorithm (Viterbi 1967; Forney, "The Viterbi
algorithm", 1973), decision by decision, over all positions that are possible there. It keeps the
`MOST_COURSES` best ones (courses.py), and settles after `_MOST_OPEN` decisions at the latest, so
"no order was found" can be wrong in theory; "an order was found" cannot. Where a rule goes by
counts alone, all positions in the longest line are tried at once, and all of use are kept.

A choice is `matched` where its course is at the recorded place there: just the events are before
it that are recorded before it. Any other that is explained is `consistent` at most.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ipvsload.ipvs_model.server_list import Counts
from ipvsload.replay.counted_events import UNKNOWN, CountedEvent
from ipvsload.replay.courses import CHANGES, UNEXPLAINED, Course, Positions, Reached, best_courses
from ipvsload.replay.decision import ServerState, Verdict
from ipvsload.replay.event_line import EventLine, Span, Undecided
from ipvsload.replay.rule_state import RuleState, Undo

_MOST_OPEN = 2_048
_NEVER = 2**62
_EXPIRIES, _LINES = 3, 4
"""The line of expiries, and how many lines there are; 0 and 1 are those of the two sides."""
_COUNT_LINES = [line for line in range(_LINES) if line != CHANGES]


class TooManyOrdersError(Exception):
    """So many positions are possible that the search would take too long."""


class Replayed(NamedTuple):
    """A decision, what the rule would have chosen at that moment, and the servers then."""

    event: CountedEvent
    predicted: int | None
    verdict: Verdict
    servers: tuple[ServerState, ...]


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
        start = Course(0, state.own, (0,) * _LINES, None, None)
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
        line = CHANGES if event.change else _EXPIRIES if event.line is None else event.line
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
        found: list[Course] = []
        if recorded == least == tuple(one[2] for one in spans) and len(courses) == 1:
            found.append(self._after(courses[0], event, least, 0))
        else:
            long = max(_COUNT_LINES, key=lambda line: spans[line][2] - spans[line][0])
            if event.asked and state.by_counts:
                found = self._along(event, spans, recorded, long)
            else:
                reached = Reached(courses, spans)
                for positions in self._visited(spans):
                    before = reached.cheapest(positions)
                    if before is not None:
                        apart = self._apart(event, positions, recorded)
                        found.append(self._after(before, event, positions, apart))
                found = best_courses(found)
        self._courses = found
        self._open += 1
        state.apply(event)

    def _along(
        self, event: CountedEvent, spans: list[Span], recorded: Positions, long: int
    ) -> list[Course]:
        """The courses that go on from here where the rule goes by counts alone.

        All positions in the line `long` are tried at once, in arrays. Of courses that differ in
        it alone one is of no use where another is cheaper and not further.
        """
        least, place, most = spans[long]
        servers = self._state.servers
        active, inactive, times = self._lines[long].moved(least, most, len(servers))
        apart = np.zeros(len(active), np.int64)
        apart[: place - least] = event.t_ns - times[: place - least] + 1
        apart[place - least + 1 :] = times[place - least :] - event.t_ns + 1
        others = [(one[0], one[1], one[0]) if n == long else one for n, one in enumerate(spans)]
        standing = tuple(least if n == long else at for n, at in enumerate(recorded))
        found: list[Course] = []
        for positions in self._visited(others):
            costs = np.full(len(active), _NEVER)
            from_course: list[Course | None] = [None] * len(active)
            for one in self._courses:
                at = max(0, one.positions[long] - least)
                fits = all(
                    n == long or own <= here
                    for n, (own, here) in enumerate(zip(one.positions, positions, strict=True))
                )
                if fits and at < len(active) and one.cost < costs[at]:
                    costs[at], from_course[at] = one.cost, one
            choices = self._state.rule.choices(servers.active + active, servers.inactive + inactive)
            assert choices is not None
            found += self._cheapest_along(
                event, positions, long, choices, costs, from_course,
                apart + self._apart(event, positions, standing),
            )  # fmt: skip
        found.sort(key=lambda one: one.cost)
        return found

    def _cheapest_along(
        self, event: CountedEvent, least: Positions, long: int, choices: Counts, costs: Counts,
        from_course: "list[Course | None]", apart: Counts,
    ) -> Iterator[Course]:  # fmt: skip
        chosen = -1 if event.chosen is None else event.chosen
        unknown = event.chosen == UNKNOWN
        alike = (choices == chosen) & (not unknown)
        excused = unknown or event.chosen is None
        reach = np.minimum.accumulate(costs)
        total = reach + apart
        if not excused:
            total += np.where(alike, 0, UNEXPLAINED)
        total = np.minimum(total, _NEVER)
        lower = np.append(_NEVER, np.minimum.accumulate(total)[:-1])
        begins = np.append(True, reach[1:] < reach[:-1])
        source = np.maximum.accumulate(np.where(begins, np.arange(len(reach)), 0))
        for at in np.flatnonzero(total < lower).tolist():
            before = from_course[source[at]]
            assert before is not None
            verdict: Verdict | None = self._otherwise
            if alike[at]:
                verdict = "consistent" if apart[at] else "matched"
            elif excused:
                verdict = None
            predicted = int(choices[at])
            positions = (*least[:long], least[long] + at, *least[long + 1 :])
            yield Course(
                int(total[at]), before.own, positions, before, event,
                None if predicted < 0 else predicted, verdict,
            )  # fmt: skip

    def _after(
        self, before: Course, event: CountedEvent, positions: Positions, apart_ns: int
    ) -> Course:
        """The course that goes on to these positions, where the state is now, and decides there."""
        state = self._state
        state.own = before.own
        for _ in range(positions[CHANGES] - before.changed):
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
            cost += UNEXPLAINED
            if event.asked:
                state.own = own
                state.follow(event.chosen)
        return Course(cost, state.own, positions, before, event, predicted, verdict)

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
                self._visits += 1
                if self._visits > self._most_visited:
                    raise TooManyOrdersError
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
        one: Course | None = best
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
