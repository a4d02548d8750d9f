"""What makes a figure over blocks doubtful: too few, a drift, one far off; for people."""

import statistics
from collections.abc import Iterator, Sequence

from ipvsload.statistics.median_interval import LEAST_VALUES
from ipvsload.statistics.trend import trend

DRIFT_LEVEL = 1e-3
"""One in a thousand would be said to drift, and does not."""
FAR = 3.0
"""So many ranges of the middle half beyond it: "far out" (Tukey, Exploratory Data Analysis)."""


def block_warnings(values: Sequence[float], blocks: Sequence[int], what: str) -> Iterator[str]:
    """Of values in the order of their blocks, which are numbered; `what` names them: "runs"."""
    n = len(values)
    if n < LEAST_VALUES:
        yield f"too few: an interval of 95 % takes {LEAST_VALUES} {what}, and there are {n}"
        return
    found = trend(values)
    if found.p < DRIFT_LEVEL:
        course = "rise" if found.tau > 0 else "fall"
        yield f"the {what} {course} from the first block to the last (p {found.p:.1g}): a drift"
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    reach = FAR * (high - low)
    far = [
        str(block)
        for block, value in zip(blocks, values, strict=True)
        if reach and not low - reach <= value <= high + reach
    ]
    if far:
        yield f"far off the other {what}: block {', '.join(far)}"
