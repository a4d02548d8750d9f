"""The budgets of user classes, lent to a master's workers part by part. Pure.

Nobody knows beforehand which worker gets how many users, and people change that while
a test runs. So a worker gets a part, and another when that is nearly spent; parts become
smaller toward the end. What a worker's users leave behind goes to those who wait. They
wait until nothing is left and nobody has a part: then the whole budget has been begun.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Loan(NamedTuple):
    """An answer to a worker: so many requests of a class, and whether there may be more."""

    worker: str
    requests: int
    more: bool


class SharedBudgets:
    """The budgets of one test, by user class; `workers` are expected to share them."""

    def __init__(self, budgets: Mapping[str, int], workers: int) -> None:
        self._pools = {name: _Pool(count, 2 * max(1, workers)) for name, count in budgets.items()}

    def asked(self, worker: str, name: str, left: int) -> list[Loan]:
        """A worker asks, who has so many left. Return the answers that are due now."""
        pool = self._pools.get(name)
        if pool is None:
            return [Loan(worker, 0, more=False)]  # the class is another one there
        return pool.asked(worker, left)

    def returned(self, worker: str, name: str, count: int, asks: bool) -> list[Loan]:
        """A worker returns what it has, and may have asked before. Return the answers due now."""
        pool = self._pools.get(name)
        return [] if pool is None else pool.returned(worker, count, asks)


class _Pool:
    """One class's budget; a part is what is left, divided by `divisor`."""

    def __init__(self, left: int, divisor: int) -> None:
        self._left, self._divisor = left, divisor
        self._holders: set[str] = set()
        """Workers that have a part, or are being sent one."""
        self._waiting: dict[str, None] = {}

    def asked(self, worker: str, left: int) -> list[Loan]:
        if not left:
            self._holders.discard(worker)
            self._waiting[worker] = None
            return self._answers()
        return [self._lend(worker) if self._left else Loan(worker, 0, more=True)]

    def returned(self, worker: str, count: int, asks: bool) -> list[Loan]:
        self._left += count
        if not asks:  # else an answer is on its way
            self._holders.discard(worker)
        return self._answers()

    def _answers(self) -> list[Loan]:
        answers = []
        while self._waiting and self._left:
            answers.append(self._lend(next(iter(self._waiting))))
        if not self._left and not self._holders:
            answers += [Loan(worker, 0, more=False) for worker in self._waiting]
            self._waiting.clear()
        return answers

    def _lend(self, worker: str) -> Loan:
        count = max(1, self._left // self._divisor)
        self._left -= count
        self._holders.add(worker)
        self._waiting.pop(worker, None)
        return Loan(worker, count, more=True)
