"""A search in depth for an order of a few events in which the rule makes the measured choices."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ipvsload.replay.counted_events import UNKNOWN, CountedEvent
from ipvsload.replay.rule_state import Own, RuleState, Undo


def certainly_before(pool: list[CountedEvent]) -> list[int]:
    """For each event a mask of those that were certainly before it."""
    masks = []
    for number, one in enumerate(pool):
        mask = 0
        for other in range(number):
            earlier = pool[other]
            if (
                earlier.late_ns < one.early_ns
                or (one.cable is not None and earlier.cable == one.cable)
                or (one.client is not None and earlier.client == one.client)
            ):
                mask |= 1 << other
        masks.append(mask)
    return masks


class _Step(NamedTuple):
    number: int
    own: Own
    undo: Undo


class OrderWalk:
    """A search in depth over orders of a pool, which leaves the state as it found it."""

    def __init__(
        self,
        state: RuleState,
        choose: Callable[[CountedEvent], int | None],
        pool: list[CountedEvent],
        before: list[int],
        free: set[int],
    ) -> None:
        self._state, self._choose = state, choose
        self._pool, self._before, self._free = pool, before, free
        self.tried = 0

    def search(self, goal: int, most: int, may_try: int) -> list[int] | None:
        """An order with at most `most` events out of their place; None where there is none."""
        steps: list[_Step] = []
        seen: dict[tuple[int, str], int] = {}
        mask = skipped = 0
        frames = [(mask, skipped, most, self._candidates(mask))]
        found = None
        while frames:
            mask, skipped, left, candidates = frames[-1]
            number = next(candidates, None)
            if number is None or self.tried >= may_try:
                frames.pop()
                if steps:
                    self._take_back(steps.pop())
                continue
            over = ~mask & ((1 << number) - 1)
            costs = bool(over & ~skipped)
            if costs > left:
                continue
            step = self._step(number)
            if step is None:
                continue
            mask |= 1 << number
            if mask & goal == goal:
                found = [one.number for one in steps] + [number]
                self._take_back(step)
                break
            known = mask, self._state.key
            if seen.get(known, -1) >= left - costs:
                self._take_back(step)
                continue
            seen[known] = left - costs
            steps.append(step)
            frames.append((mask, skipped | over, left - costs, self._candidates(mask)))
        for step in reversed(steps):
            self._take_back(step)
        return found

    def _candidates(self, mask: int) -> Iterator[int]:
        """Events that may be next, in the order of their recorded times."""
        for number, before in enumerate(self._before):
            if not mask >> number & 1 and not before & ~mask:
                yield number

    def _step(self, number: int) -> _Step | None:
        """Apply the event; None where it is a decision that the rule does not make now."""
        state, event = self._state, self._pool[number]
        self.tried += 1
        own = state.own
        if event.decision:
            predicted = self._choose(event)
            if predicted != event.chosen and event.chosen != UNKNOWN:
                state.own = own
                if event.chosen is not None and event.place not in self._free:
                    return None
                if event.chosen is not None and event.asked:
                    state.follow(event.chosen)
        return _Step(number, own, state.apply(event))

    def _take_back(self, step: _Step) -> None:
        event = self._pool[step.number]
        self._state.take_back(event, step.undo)
        if event.decision:
            self._state.own = step.own
