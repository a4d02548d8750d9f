"""The queue M/M/n in closed form: Poisson arrivals, exponential work, n workers, one queue.

What servers with a capacity must be like, if they and the load are right. Times are
in seconds. The formulas are those of Kleinrock, "Queueing Systems", volume 1 (1975),
sections 3.2 and 3.5; the second is named after A. K. Erlang.
"""

import math
from typing import NamedTuple


class MarkovianQueue(NamedTuple):
    """`rate` arrivals a second, of `work` seconds in the mean, for `workers`.

    It has a steady state where `utilisation` is less than 1, and no other figures.
    """

    rate: float
    work: float
    workers: int = 1

    @property
    def utilisation(self) -> float:
        """The part of the workers that is busy, in the mean."""
        return self.rate * self.work / self.workers

    @property
    def waiting(self) -> float:
        """The probability that an arrival waits: Erlang's C formula."""
        # By his B formula, whose recursion has no factorials.
        offered = self.rate * self.work
        blocked = 1.0
        for n in range(1, self.workers + 1):
            blocked = offered * blocked / (n + offered * blocked)
        return blocked / (1 - self.utilisation * (1 - blocked))

    @property
    def mean_time(self) -> float:
        """In the system, waiting and work together."""
        return self.work + self.waiting / self._spare

    def within(self, seconds: float) -> float:
        """The probability that an arrival's time in the system is at most this."""
        if seconds <= 0:
            return 0.0
        served, spare = 1 / self.work, self._spare
        alone = math.exp(-served * seconds)
        if math.isclose(served, spare, rel_tol=1e-6):
            both = alone * (1 + served * seconds)
        else:
            after = math.exp(-spare * seconds)
            both = (spare * alone - served * after) / (spare - served)
        return 1 - (1 - self.waiting) * alone - self.waiting * both

    @property
    def _spare(self) -> float:
        """What the workers can do a second beyond what is asked of them."""
        return self.workers / self.work - self.rate
