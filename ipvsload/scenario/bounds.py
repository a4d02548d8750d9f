"""Ranges of numbers: what a measure can be before anything has run."""

from typing import NamedTuple


class Interval(NamedTuple):
    """All numbers from `low` to `high`, ends included."""

    low: float
    high: float


class Bound(NamedTuple):
    """The numbers that a measure can have, and why; "" where there is no more to say."""

    interval: Interval
    why: str

    @classmethod
    def exactly(cls, value: float, why: str) -> "Bound":
        """One number."""
        return cls(Interval(value, value), why)
