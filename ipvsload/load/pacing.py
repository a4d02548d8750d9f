"""When the requests of an open workload are due: arithmetic, without a clock.

A pacer is a plan that is made before the first request is sent. So a request
that is sent late can be measured from the time when it was due, and the plan
can be divided among workers without talking to them.
"""

from dataclasses import dataclass
from math import ceil
from typing import Protocol

_SECOND = 1_000_000_000


class Pacer(Protocol):
    """The arrivals of an open workload, numbered from 0 in the order of their times."""

    @property
    def count(self) -> int | None:
        """How many arrivals there are; None if they do not end."""

    def due_ns(self, number: int) -> int:
        """When this arrival is due, in ns after the workload's start."""


@dataclass(frozen=True, slots=True)
class ConstantRate:
    """Arrivals at the same distance from each other, the first at once.

    Args:
        rate: arrivals per second.
        count: how many there are; None if they do not end.
    """

    rate: float
    count: int | None = None

    def due_ns(self, number: int) -> int:
        """When this arrival is due, in ns after the workload's start."""
        return int(number * _SECOND / self.rate)


@dataclass(frozen=True, slots=True)
class EveryNth:
    """One worker's part of a plan that `step` workers share: `first`, `first + step`, ..."""

    whole: Pacer
    first: int
    step: int

    @property
    def count(self) -> int | None:
        """How many arrivals this part has; None if they do not end."""
        whole = self.whole.count
        return None if whole is None else max(0, -(-(whole - self.first) // self.step))

    def due_ns(self, number: int) -> int:
        """When this arrival is due, in ns after the workload's start."""
        return self.whole.due_ns(self.first + number * self.step)


def constant_rate(rate: float, duration: float | None, budget: int | None) -> ConstantRate:
    """Arrivals at `rate` per second for `duration` seconds, but not more than `budget`.

    An arrival that is due at the very end is not among them.
    """
    limits = [] if budget is None else [budget]
    if duration is not None:
        # Rounded, because 1.1 * 10 is 11.000000000000002: these are 11 arrivals and not 12.
        limits.append(ceil(round(rate * duration, 6)))
    return ConstantRate(rate, min(limits, default=None))
