"""A budget that workers share: never more than that is begun, and all of it where somebody can."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.load.closed_user import ClosedUser
from ipvsload.load.exchange import Exchange
from ipvsload.load.finished_batch import FinishedBatch
from ipvsload.load.http_response import NO_ANSWER
from ipvsload.load.workload import Workload
from ipvsload.locust_plugin.distributed.shared_budgets import Loan, SharedBudgets
from ipvsload.scenario.model import Traffic


class Client:
    """Carries requests that end when the test says so."""

    target = ("192.0.2.80", 80)

    def __init__(self) -> None:
        self.timers = self
        self.begun = 0
        self.in_flight: list[Exchange] = []

    def at(self, *_: Any) -> None:
        """No time passes here."""

    def begin(self, exchange: Exchange, _planned_ns: int) -> None:
        self.begun += 1
        exchange.queued = True
        self.in_flight.append(exchange)

    def drop(self, _exchange: Exchange) -> None:
        """There is no connection."""

    def add_batch(self, _batch: FinishedBatch) -> None:
        """Nobody hears of requests."""

    def hand_over(self) -> None:
        """Nobody hears of requests."""

    def fail(self, error: Exception) -> None:
        raise error


class World:
    """A master and its workers, and the messages that are on their way, in order for each."""

    def __init__(self, budget: int, workers: int) -> None:
        self.master = SharedBudgets({"Some": budget}, workers)
        self.workers = [Worker(self, f"worker {n}") for n in range(workers)]

    def send(self, loans: list[Loan]) -> None:
        for worker, requests, more in loans:
            next(one for one in self.workers if one.name == worker).down.append((requests, more))

    @property
    def begun(self) -> int:
        return sum(worker.client.begun for worker in self.workers)


class Worker:
    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.client = Client()
        self.up: list[tuple[int, bool | None]] = []
        self.down: list[tuple[int, bool]] = []
        spec = Traffic(request="GET /", users=1, requests=1)
        client: Any = self.client
        self.workload = Workload("Some", spec, client, FinishedBatch(lambda _: None), lender=self)
        self.workload.start(users=0)

    def ask(self, _name: str, left: int) -> None:
        self.up.append((left, None))

    def give_back(self, _name: str, count: int, asks: bool) -> None:
        self.up.append((count, asks))

    @property
    def users(self) -> list[ClosedUser]:
        return list(self.workload._users)

    def join(self) -> None:
        self.workload.join()

    def leave(self) -> None:
        if self.users:
            self.workload.leave(self.users[0])

    def answer(self) -> None:
        if self.client.in_flight:
            exchange = self.client.in_flight.pop(0)
            exchange.queued = False
            if self.workload.ended(exchange, NO_ANSWER, None, 0):
                self.client.begin(exchange, 0)

    def to_master(self) -> None:
        if self.up:
            count, asks = self.up.pop(0)
            master = self.world.master
            if asks is None:
                self.world.send(master.asked(self.name, "Some", count))
            else:
                self.world.send(master.returned(self.name, "Some", count, asks))

    def from_master(self) -> None:
        if self.down:
            self.workload.lent(*self.down.pop(0))

    @property
    def busy(self) -> bool:
        return bool(self.up or self.down or self.client.in_flight)


STEPS = ("join", "leave", "answer", "to_master", "from_master", "to_master", "from_master")


@given(
    budget=st.integers(1, 12),  # a small one is soon lent out
    workers=st.integers(1, 4),
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 3)), max_size=120),
    last=st.integers(0, 3),
)
@settings(deadline=None, max_examples=400)
def test_the_whole_budget_is_begun_and_no_more(
    budget: int, workers: int, steps: list[tuple[str, int]], last: int
) -> None:
    world = World(budget, workers)
    for step, number in steps:
        getattr(world.workers[number % workers], step)()
        assert world.begun <= budget
    # Somebody is there to the end, however the others came and went.
    world.workers[last % workers].join()
    rounds = 0
    while any(worker.busy for worker in world.workers):
        rounds += 1
        assert rounds < 10_000
        for worker in world.workers:
            for step in ("from_master", "answer", "to_master"):
                getattr(worker, step)()
    assert world.begun == budget
    assert [worker.users for worker in world.workers] == [[]] * workers


def test_parts_become_smaller_and_what_is_unknown_is_nothing() -> None:
    budgets = SharedBudgets({"Some": 1000}, 2)
    parts = [budgets.asked("a", "Some", 1)[0].requests for _ in range(40)]
    assert parts[:3] == [250, 187, 140]
    assert parts == sorted(parts, reverse=True)
    assert sum(parts) == 1000
    assert budgets.asked("a", "Other", 0) == [Loan("a", 0, more=False)]
