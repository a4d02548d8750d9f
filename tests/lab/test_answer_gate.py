"""Answers that took time leave in the pace in which they are acknowledged."""

from collections.abc import Callable
from heapq import heappop, heappush

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.testbed.lab.answer_gate import FREE, FREE_EACH_NS, LIMIT, WITHIN_NS, AnswerGate
from ipvsload.testbed.lab.due_call import DueCall


class Clock:
    """Timers whose time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 0
        self._heap: list[tuple[int, int, DueCall]] = []
        self._count = 0

    def at(self, when_ns: int, function: Callable[[int], None]) -> DueCall:
        call = DueCall(function)
        self._count += 1
        heappush(self._heap, (when_ns, self._count, call))
        return call

    def catch_up(self) -> int:
        return self.now

    def run_to(self, end: int) -> None:
        while self._heap and self._heap[0][0] <= end:
            self.now, _, call = heappop(self._heap)
            call(self.now)
        self.now = end


class Client:
    """One that acknowledges, or not, and what became of its answer."""

    def __init__(self) -> None:
        self.has_it = self.sent = self.left = self.counted = False

    def acknowledged(self) -> bool:
        return self.has_it

    def leave(self) -> None:
        self.left = True

    def send(self, counted: bool) -> bool:
        assert not self.sent
        self.sent, self.counted = True, counted
        return True


def test_so_many_are_on_their_way_at_once_and_the_next_follow_who_ends() -> None:
    clock = Clock()
    gate = AnswerGate(clock, lambda: clock.now)
    everybody = [Client() for _ in range(FREE + LIMIT + 3)]
    for client in everybody:
        gate.send(client, client.send)
    assert [one.counted for one in everybody[: FREE + 1]] == [False] * FREE + [True]
    clients = everybody[FREE:]
    assert [one.sent for one in clients] == [True] * LIMIT + [False] * 3
    gate.left(clients[7])
    gate.left(clients[7])
    assert [one.sent for one in clients[LIMIT:]] == [True, False, False]
    clients[0].has_it = True  # and its connection is kept: nobody tells
    clock.run_to(5_000_000)
    assert [one.sent for one in clients[LIMIT:]] == [True, True, False]
    clock.run_to(WITHIN_NS)  # who acknowledges nothing holds up nobody for longer
    assert clients[-1].sent
    clock.run_to(2 * WITHIN_NS)
    assert all(one.left for one in clients if one is not clients[7])


def test_what_was_not_sent_does_not_count() -> None:
    clock = Clock()
    gate = AnswerGate(clock, lambda: clock.now)
    for _ in range(2 * LIMIT):
        gate.send(Client(), lambda counted: False)
    client = Client()
    gate.send(client, client.send)
    assert client.sent


def test_few_are_not_counted() -> None:
    clock = Clock()
    gate = AnswerGate(clock, lambda: clock.now)
    for _ in range(3 * LIMIT):
        client = Client()
        gate.send(client, client.send)
        assert (client.sent, client.counted) == (True, False)
        clock.run_to(clock.now + FREE_EACH_NS // FREE)


@given(st.lists(st.tuples(st.integers(0, 60_000_000), st.integers(0, 400)), max_size=40))
def test_each_answer_is_sent_once_in_its_order(steps: list[tuple[int, int]]) -> None:
    clock = Clock()
    gate = AnswerGate(clock, lambda: clock.now)
    asked: list[Client] = []
    for pause, count in steps:
        for _ in range(count):
            asked.append(Client())
            gate.send(asked[-1], asked[-1].send)
        sent = [one.sent for one in asked]
        assert sent == sorted(sent, reverse=True)
        for one in asked[: count // 2]:
            gate.left(one)
        clock.run_to(clock.now + pause)
    clock.run_to(clock.now + WITHIN_NS * (2 + len(asked) // LIMIT))
    assert all(one.sent for one in asked)
