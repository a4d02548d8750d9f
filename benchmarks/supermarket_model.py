"""The supermarket model in closed form: each arrival joins the shorter of `choices` random queues.

Queues are M/M/1 each, and there are so many that they are independent of each other.
Mitzenmacher, "The power of two choices in randomized load balancing", IEEE Transactions on
Parallel and Distributed Systems 12(10), 2001, lemma 2 and corollary 1.
"""

from typing import NamedTuple


class SupermarketModel(NamedTuple):
    """`utilisation` is less than 1; `work` is the mean in seconds."""

    utilisation: float
    work: float
    choices: int = 2

    def at_least(self, many: int) -> float:
        """The part of the queues that have so many or more, with the one at work."""
        d = self.choices
        exponent = many if d == 1 else (d**many - 1) / (d - 1)
        return float(self.utilisation**exponent)

    @property
    def mean_time(self) -> float:
        """Seconds in the system: by Little's law, of the mean length of a queue."""
        length = sum(self.at_least(many) for many in range(1, 1000 if self.choices == 1 else 40))
        return length * self.work / self.utilisation
