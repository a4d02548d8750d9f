"""When the users of a closed workload come and go, whose number changes: arithmetic only.

Users are numbered from 1. Between two whole numbers, the next user comes, or goes, halfway.
"""

import math
from collections.abc import Iterator, Sequence

from ipvsload.scenario.stages import Stage

_SECOND = 1_000_000_000


def user_changes(
    stages: Sequence[Stage], first: int = 0, step: int = 1
) -> Iterator[tuple[int, int]]:
    """When users come (1) or go (-1), in ns after the start, in that order; the last come goes.

    One of `step` workers has every `step`th user, the first of them number `first` + 1.
    """
    began_s, there = 0.0, 0
    for stage in stages:
        start, end = _whole(stage.start), _whole(stage.end)
        # At once from the level of the stage before, and then evenly.
        for target, evenly in ((start, False), (end, True)):
            change = 1 if target > there else -1
            for user in range(there, target, change):
                number = user if change > 0 else user - 1  # from 0
                if number % step == first:
                    slope = (stage.end - stage.start) / stage.over
                    after_s = (number + 0.5 - stage.start) / slope if evenly else 0.0
                    yield round((began_s + after_s) * _SECOND), change
            there = target
        began_s += stage.over


def _whole(level: float) -> int:
    return math.floor(level + 0.5)
