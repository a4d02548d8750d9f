"""How many requests of a traffic class may still be begun in this process.

A budget is the process's own, or one that the processes of several machines share:
then a lender has it, and each process has a part of it on loan. The next part is asked
for when half of the last one is left, so that users seldom wait for it.
"""

from typing import Protocol


class Lender(Protocol):
    """Has the budgets that several processes share."""

    def ask(self, traffic_class: str, left: int) -> None:
        """Ask for more of this class's budget; so many are `left` here.

        `RequestBudget.lent` is the answer, now or later, and the only one.
        """

    def give_back(self, traffic_class: str, count: int, asks: bool) -> None:
        """Return all that is here, because nobody is going to send it.

        `asks` says whether the answer to a question is still due.
        """


class RequestBudget:
    """The budget of one class.

    Args:
        whole: what a class may send in all each time that it starts; None for no end.
            With a lender it has the last word.
        name: the class's name, for the lender.
        lender: None where the budget is this process's own.
    """

    __slots__ = ("_lender", "_name", "_whole", "ask_at", "left", "more")

    def __init__(self, whole: int | None, name: str = "", lender: Lender | None = None) -> None:
        self._whole: float = float("inf") if whole is None else whole
        self._name, self._lender = name, lender
        self.left: float = 0
        """What may be begun now; whoever begins a request takes one off."""
        self.more = False
        """Whether the lender may have more, so that users wait for it."""
        self.ask_at = -1
        """Ask when so many are left; -1: never, or an answer is due."""

    def renew(self) -> None:
        """Begin with a whole budget."""
        self.more = self._lender is not None
        self.left = 0 if self.more else self._whole
        self.ask_at = 0 if self.more else -1

    def ask(self) -> None:
        """Ask the lender for more, if little is left, and no answer is due."""
        if self._lender is not None and self.more and self.left <= self.ask_at:
            self.ask_at = -1
            self._lender.ask(self._name, int(self.left))

    def lent(self, count: int, more: bool) -> None:
        """Take the lender's answer: so many requests, and whether there may be more."""
        self.left += count
        self.more = more
        self.ask_at = count // 2

    def give_back(self) -> None:
        """Return what is left of the loan, because there are no users; others may wait for it."""
        if self._lender is not None and self.more:
            count, self.left = int(self.left), 0
            asks = self.ask_at < 0
            self.ask_at = min(self.ask_at, 0)
            self._lender.give_back(self._name, count, asks)
