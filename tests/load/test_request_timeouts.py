"""Requests are given up when their time is over: not sooner, not later, and no others."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.load.exchange import Exchange
from ipvsload.load.request_timeouts import RequestTimeouts

TIMEOUT_NS = 10


class Owner:
    message = b""


class World:
    """Exchanges and timers on a clock that the test sets."""

    def __init__(self, users: int) -> None:
        owner: Any = Owner()
        self.exchanges = [Exchange(owner) for _ in range(users)]
        self.now = 1
        self.due: list[tuple[int, Callable[[], None]]] = []
        self.given_up: list[tuple[int, int]] = []
        timers: Any = self
        self.timeouts = RequestTimeouts(timers, TIMEOUT_NS, self.in_flight, self.give_up)
        self.looks = 0

    def at(self, when_ns: int, function: Callable[[], None]) -> None:
        self.due.append((when_ns, function))

    def in_flight(self) -> list[Exchange]:
        self.looks += 1
        return [one for one in self.exchanges if one.in_flight]

    def give_up(self, exchange: Exchange) -> None:
        self.given_up.append((exchange.start, self.now))
        exchange.busy = False

    def queue(self, exchange: Exchange) -> None:
        if not exchange.in_flight:
            exchange.queued, exchange.start = True, 0
            if not self.timeouts.watching:
                self.timeouts.begin()

    def send(self, exchange: Exchange) -> None:
        if exchange.queued:
            exchange.queued, exchange.busy, exchange.start = False, True, self.now

    def answer(self, exchange: Exchange) -> None:
        if exchange.busy:
            exchange.busy = False

    def tick(self) -> None:
        self.now += 1
        due = [one for one in self.due if one[0] <= self.now]
        self.due = [one for one in self.due if one[0] > self.now]
        for _, function in due:
            function()


STEPS = st.lists(st.tuples(st.sampled_from(("queue", "send", "answer", "tick")), st.integers(0, 3)))


@given(STEPS)
def test_each_is_given_up_at_its_time(steps: list[tuple[str, int]]) -> None:
    world = World(4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic_ns", lambda: world.now)
        for what, number in steps:
            if what == "tick":
                for _ in range(1 + 3 * number):
                    world.tick()
                    late = world.now - TIMEOUT_NS
                    assert all(one.start > late for one in world.exchanges if one.busy)
            else:
                getattr(world, what)(world.exchanges[number])
        assert all(end - start == TIMEOUT_NS for start, end in world.given_up)
        assert world.looks <= 1 + world.now // TIMEOUT_NS * 2  # however many requests there were
        for one in world.exchanges:
            world.send(one)
        for _ in range(2 * TIMEOUT_NS):
            world.tick()
        assert not world.timeouts.watching
        assert not world.due
