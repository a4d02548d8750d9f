"""Whether the rule makes the measured choices, in the recorded order of events or in another one.

Events are applied in the order of their recorded times. Where the rule would choose another
server than was chosen, an order is looked for that explains the choice and all those near it:
events may change places where their times cannot tell which was first, those of one connection
and of one cable never. The search goes back to the first event that may have been after the
decision, then further, and tries orders with few events out of their place first. It is bounded
(`_MOST_TRIED` events applied for a decision, `_MOST_A_DECISION` on the average), so "no order was
found" can be wrong in theory; "an order was found" cannot.

A choice is `matched` where, before it, just the events have been applied that are recorded
before it. A choice in any other order is `consistent` at most.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ipvsload.replay.counted_events import UNKNOWN, CountedEvent
from ipvsload.replay.decision import ServerState, Verdict
from ipvsload.replay.order_walk import OrderWalk, certainly_before
from ipvsload.replay.rule_state import Own, RuleState, Undo

_MOST_TRIED = 3_000
_MOST_A_DECISION = 30
_MOST_AT_FIRST = 100_000
_OUT_OF_PLACE = (1, 2, 4, 8)
"""How many events may be out of their place, one try after the other."""
_WIDEST = 400
"""Events in one search at most."""


class Replayed(NamedTuple):
    """A decision, what the rule would have chosen at that moment, and the servers then."""

    event: CountedEvent
    predicted: int | None
    verdict: Verdict
    servers: tuple[ServerState, ...]


class _Applied(NamedTuple):
    event: CountedEvent
    own: Own
    """What the rule kept before it."""
    undo: Undo
    result: Replayed | None


class OrderSearch:
    """One director's events against the rule. `otherwise` is said of a choice without an order.

    No event may have happened more than `span_ns` before or after its recorded time. With
    `every_table`, each decision has the servers' states; else those have that are not explained.
    """

    def __init__(
        self, state: RuleState, otherwise: Verdict, span_ns: int, *, every_table: bool = False
    ) -> None:
        self._state = state
        self._otherwise = otherwise
        self._span = span_ns
        self._every_table = every_table
        self._applied: deque[_Applied] = deque()
        self._ahead: deque[CountedEvent] = deque()
        self._latest = -1
        """The greatest place of any event that was applied."""
        self._may_try = _MOST_AT_FIRST
        self.gave_up = 0
        """Decisions for which not all orders were tried."""

    def run(self, events: Iterable[CountedEvent]) -> Iterator[Replayed]:
        """Each decision in the order in which it is explained."""
        source, ahead, span = iter(events), self._ahead, self._span
        last = False
        while True:
            while not last and (not ahead or ahead[-1].t_ns <= ahead[0].t_ns + 3 * span):
                event = next(source, None)
                if event is None:
                    last = True
                else:
                    ahead.append(event)
            if not ahead:
                break
            first = ahead[0]
            self._take(first)
            if ahead and ahead[0] is first:
                ahead.popleft()
            yield from self._settled(first.t_ns - 4 * span)
        yield from self._settled(None)

    def _settled(self, before_ns: int | None) -> Iterator[Replayed]:
        applied = self._applied
        while applied and (before_ns is None or applied[0].event.t_ns < before_ns):
            result = applied.popleft().result
            if result is not None:
                yield result

    def _take(self, event: CountedEvent) -> None:
        """Apply the first event that is not applied yet, in an order that explains it."""
        state = self._state
        if not event.decision:
            self._apply(event, state.own if event.change else ())
            return
        self._may_try += _MOST_A_DECISION
        own = state.own
        servers = state.table() if self._every_table else ()
        predicted = self._choose(event)
        if predicted == event.chosen:
            verdict: Verdict = "matched" if self._latest < event.place else "consistent"
            self._apply(event, own, Replayed(event, predicted, verdict, servers))
            return
        if event.chosen == UNKNOWN:
            self._apply(event, own)
            return
        state.own = own
        if event.chosen is None:
            # Nobody knows that the director saw this SYN: it may have been lost before.
            self._apply(event, own)
            return
        if self._other_order(event):
            return
        servers = state.table()
        predicted = self._choose(event)
        state.own = own
        if event.asked:
            state.follow(event.chosen)
        self._apply(event, own, Replayed(event, predicted, self._otherwise, servers))

    def _choose(self, event: CountedEvent) -> int | None:
        if not event.asked:
            return event.followed
        assert event.client is not None
        return self._state.rule.choose(event.client)

    def _apply(self, event: CountedEvent, own: Own, result: Replayed | None = None) -> None:
        self._applied.append(_Applied(event, own, self._state.apply(event), result))
        self._latest = max(self._latest, event.place)

    def _other_order(self, event: CountedEvent) -> bool:
        """Apply the decision, and all events before it, in an order that explains all choices."""
        tried = 0
        for back in (0, self._span, 3 * self._span):
            many = self._movable(event.early_ns - back)
            if back and many <= tried:
                continue
            tried = many
            if self._order_of_last(many, event):
                return True
        return False

    def _movable(self, since_ns: int) -> int:
        """How many of the last events are taken back to have all that may be after this time."""
        found = 0
        for number, one in enumerate(reversed(self._applied), 1):
            if one.event.late_ns >= since_ns:
                found = number
            if one.event.t_ns + self._span < since_ns or number == _WIDEST:
                break
        return found

    def _order_of_last(self, many: int, event: CountedEvent) -> bool:
        state, applied = self._state, self._applied
        own = state.own
        back = [applied.pop() for _ in range(many)][::-1]
        for one in reversed(back):
            state.take_back(one.event, one.undo)
            if one.event.decision:
                state.own = one.own
        ahead = [one for one in self._ahead if one.early_ns <= event.late_ns][:_WIDEST]
        pool = sorted([*(one.event for one in back), *ahead], key=lambda one: one.place)
        free = {
            one.event.place
            for one in back
            if one.result is not None and one.result.verdict == self._otherwise
        }
        base = max((one.event.place for one in applied), default=-1)
        order = self._explaining(pool, free, event)
        if order is None:
            for one in back:
                applied.append(one._replace(undo=state.apply(one.event)))
            state.own = own
            return False
        done = set()
        mask = 0
        for number in order:
            explained = pool[number]
            done.add(explained.place)
            in_place = mask == (1 << number) - 1 and base < explained.place
            mask |= 1 << number
            self._apply_again(explained, in_place=in_place)
        left = [later for later in self._ahead if later.place not in done]
        self._ahead.clear()
        self._ahead.extend(left)
        return True

    def _apply_again(self, event: CountedEvent, *, in_place: bool) -> None:
        state = self._state
        own = state.own
        if not event.decision:
            self._apply(event, own)
            return
        servers = state.table() if self._every_table else ()
        predicted = self._choose(event)
        if event.chosen is None and predicted is not None:
            state.own = own
            self._apply(event, own)
        elif event.chosen == UNKNOWN:
            self._apply(event, own)
        elif predicted == event.chosen:
            verdict: Verdict = "matched" if in_place else "consistent"
            self._apply(event, own, Replayed(event, predicted, verdict, servers))
        else:
            servers = state.table()
            state.own = own
            if event.asked and event.chosen is not None:
                state.follow(event.chosen)
            self._apply(event, own, Replayed(event, predicted, self._otherwise, servers))

    def _explaining(
        self, pool: list[CountedEvent], free: set[int], event: CountedEvent
    ) -> list[int] | None:
        """Places in the pool in an order that explains; the state is as before.

        All events up to the decision are in it, and later ones where they help. Choices of
        `free` need not be explained.
        """
        before = certainly_before(pool)
        goal = sum(1 << number for number, one in enumerate(pool) if one.place <= event.place)
        may_try = min(_MOST_TRIED, self._may_try)
        for most in _OUT_OF_PLACE:
            walk = OrderWalk(self._state, self._choose, pool, before, free)
            order = walk.search(goal, most, may_try)
            may_try -= walk.tried
            self._may_try -= walk.tried
            if order is not None:
                return order
            if may_try <= 0:
                self.gave_up += 1
                return None
        return None
