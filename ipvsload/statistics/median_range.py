"""One figure over the repeats of a scheduler: its median, its least and its greatest value."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MedianRange:
    """The median of some values, and between what they lie."""

    median: float
    min: float
    max: float


def median_range(values: Sequence[float | None]) -> MedianRange | None:
    """Median and range of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return MedianRange(statistics.median(known), min(known), max(known))
