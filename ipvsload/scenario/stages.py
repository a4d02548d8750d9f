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

    def level(self, seconds: float) -> float:
        """The level after so many seconds of the stage."""
        return self.start + (self.end - self.start) * (seconds / self.over)

    def reaches(self, count: float) -> float:
        """The seconds after which so much has come together, where the level is a rate.

        `count` is at least 0 and less than `expected([self])`.
        """
        slope = (self.end - self.start) / self.over
        # The root of slope / 2 * t^2 + start * t = count, in the form that loses no digits.
        root = math.sqrt(max(0.0, self.start * self.start + 2 * slope * count))
        return min(2 * count / (self.start + root), self.over) if count > 0 else 0.0


Stages = tuple[Stage, ...]


def expected(stages: Iterable[Stage]) -> float:
    """The integral of the level: of a rate, how many arrivals are expected in all."""
    return sum(
        (stage.start + stage.end) / 2 * stage.over if stage.start or stage.end else 0.0
        for stage in stages
    )


def length(stages: Iterable[Stage]) -> float:
    """The seconds of all stages together; infinite if they do not end."""
    return sum(stage.over for stage in stages)


def cut(stages: Iterable[Stage], seconds: float) -> Stages:
    """The stages of the first `seconds` seconds."""
    if math.isinf(seconds):
        return tuple(stages)
    kept = []
    for stage in stages:
        if stage.over >= seconds:
            kept.append(Stage(stage.start, stage.level(seconds), seconds))
            break
        kept.append(stage)
        seconds -= stage.over
    return tuple(kept)


def time_of(stages: Iterable[Stage], count: float) -> float:
    """The seconds after which a rate has brought so much; infinite if it never does."""
    began = 0.0
    for stage in stages:
        whole = expected([stage])
        if count < whole:
            return began + stage.reaches(count)
        began, count = began + stage.over, count - whole
    return math.inf
