"""How many arrivals a rate that changes in stages brings until a time."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipvsload.scenario.stages import Stage


def expected_until(stages: Iterable[Stage], seconds: NDArray[Any]) -> NDArray[np.float64]:
    """The integral of the rate from the beginning to each time; it stays as it was at the end."""
    left = np.array(seconds, np.float64)
    total = np.zeros(len(left))
    last = 0.0
    for stage in stages:
        inside = np.minimum(left, stage.over)
        slope = (stage.end - stage.start) / stage.over
        total += stage.start * inside + slope * inside * inside / 2
        # What is before the stage's end has nothing left for the next ones.
        left = np.maximum(left - inside, 0.0)
        last = stage.end
    return total + last * left
