"""A rate, or a number of users, that changes in the course of time: stage after stage."""

import math
from collections.abc import Iterable
from typing import NamedTuple


class Stage(NamedTuple):
    """A level that goes evenly from `start` to `end` in `over` seconds.

    The last stage may be endless; its level stays the same.
    """

    start: float
    end: float
    over: float = math.inf

    def reaches(self, count: float) -> float:
        """The seconds after which so much has come together, where the level is a rate.

        `count` is at least 0 and less than `expected([self])`.
        """
        slope = (self.end - self.start) / self.over
        # The root of slope / 2 * t^2 + start * t = count, in the form that loses no digits.
        root = math.sqrt(max(0.0, self.start * self.start + 2 * slope * count))
        return min(2 * count / (self.start + root), self.over) if count > 0 else 0.0


def expected(stages: Iterable[Stage]) -> float:
    """The integral of the level: of a rate, how many arrivals are expected in all."""
    return sum(
        (stage.start + stage.end) / 2 * stage.over if stage.start or stage.end else 0.0
        for stage in stages
    )


def length(stages: Iterable[Stage]) -> float:
    """The seconds of all stages together; infinite if they do not end."""
    return sum(stage.over for stage in stages)


def expected_until(stages: Iterable[Stage], seconds: float) -> float:
    """The integral of the level from the beginning on; it stays as it was at the end."""
    total, last = 0.0, 0.0
    for stage in stages:
        inside = min(seconds, stage.over)
        slope = (stage.end - stage.start) / stage.over
        total += stage.start * inside + slope * inside * inside / 2
        seconds -= inside
        last = stage.end
        if seconds <= 0:
            return total
    return total + last * seconds
