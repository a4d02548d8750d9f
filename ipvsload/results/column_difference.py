"""The difference of two columns in their own unit, tested on the scale that fits the measure.

A slow machine or a burst of arrivals makes all times of a block longer by a factor, and not by so
many milliseconds. So times and rates are compared by their ratio: the tests are those of the
logarithms' differences, and no interval can say that something is more than 100 % less. What may be
0, such as a share, is compared by its difference.
"""

import math
from dataclasses import dataclass

from ipvsload.results.pair_comparison import Interval, MeasuredColumn
from ipvsload.scenario.measures.base import Unit
from ipvsload.statistics.difference import Difference, paired_difference, unpaired_difference

_RATIO_SCALES: tuple[Unit, ...] = ("ms", "s", "1/s")


@dataclass(frozen=True, slots=True)
class ColumnDifference:
    """b against a: what was found on the `test`'s scale, and back in the unit of the measure.

    `base` is a's median where the test is of ratios: a ratio r is shown as the difference
    `base` * (r - 1). `margin` is on the scale of the test.
    """

    test: Difference
    base: float | None
    margin: float

    @property
    def estimate(self) -> float:
        """In the measure's unit."""
        return self._in_unit(self.test.estimate)

    @property
    def ci95(self) -> Interval | None:
        """Of the estimate; None where there are too few runs."""
        ends = self.test.ci95
        return (self._in_unit(ends[0]), self._in_unit(ends[1])) if ends else None

    @property
    def method(self) -> str:
        """Test and interval, for people."""
        return f"{self.test.method}{'' if self.base is None else ', of ratios'}"

    def needed(self, level: float) -> int | None:
        """How many blocks would show a difference of the margin; None where nobody can say."""
        return self.test.needed(self.margin, level)

    def _in_unit(self, found: float) -> float:
        return found if self.base is None else self.base * math.expm1(found)


def column_difference(
    a: MeasuredColumn, b: MeasuredColumn, margin: float, *, paired: bool = True
) -> ColumnDifference | None:
    """None where there is nothing to compare. `margin` is a part of a's median."""
    of_a, of_b = dict(a.blocks), dict(b.blocks)
    if a.median is None or not of_b or (paired and not of_a.keys() & of_b.keys()):
        return None
    ratio = a.unit in _RATIO_SCALES and min(*of_a.values(), *of_b.values()) > 0
    if ratio:
        of_a = {block: math.log(value) for block, value in of_a.items()}
        of_b = {block: math.log(value) for block, value in of_b.items()}
    on_scale = math.log1p(margin) if ratio else margin * abs(a.median)
    test = (
        paired_difference(of_a, of_b, on_scale)
        if paired
        else unpaired_difference(list(of_a.values()), list(of_b.values()), on_scale)
    )
    return ColumnDifference(test, a.median if ratio else None, on_scale)
