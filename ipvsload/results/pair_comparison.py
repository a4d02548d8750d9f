"""What is known of columns and of pairs of them by one measure: the contract's `comparison`.

A column is a scheduler or one of its variants. The unit is the run: each repeat is a block
that has every column once, and what is compared are the two runs of a block.
"""

from dataclasses import dataclass, replace
from typing import Literal

from ipvsload.scenario.measures.base import Better, Unit

PairVerdict = Literal["less", "greater", "~", "equivalent"]
Interval = tuple[float, float]

_TURNED: dict[PairVerdict, PairVerdict] = {"less": "greater", "greater": "less"}


@dataclass(frozen=True, slots=True)
class MeasuredColumn:
    """One measure of one column, over its valid runs.

    `blocks` has each run's repeat and value, in the measure's unit; `better` says which way is
    good, None where that depends. `ci95` is None where there are too few runs for it.
    """

    label: str
    measure: str
    unit: Unit
    better: Better | None
    blocks: tuple[tuple[int, float], ...]
    median: float | None
    ci95: Interval | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PairComparison:
    """Column `b` against column `a` by one measure; pairs of two stand in this form.

    `difference` is b - a in the measure's unit, with its interval. `p` is the test's, and
    `p_holm` corrected for all that were made. "less" and "greater" are said of b, where `p_holm`
    is below 0.05; "equivalent" where `p_equivalent` is: the difference is within `margin`, a part
    of a's median. `more_blocks` is how many more would show a difference of that margin in 4 of 5
    experiments; None where that cannot be said. `method` names test and interval, for people.

    `p_equivalent` is corrected for all equivalences as `p_holm` is for all differences. `least_p`
    is the least that `p` could have been with so many blocks, and `tests` how many tests Holm
    counted: 0 where this was none of them, as where all blocks are exactly alike. `ratio`: what
    was tested are the ratios b / a, and a ratio r is told as the difference median[0] * (r - 1).
    """

    measure: str
    a: str
    b: str
    n: tuple[int, int]
    median: tuple[float | None, float | None]
    ci95: tuple[Interval | None, Interval | None]
    difference: float | None
    difference_ci95: Interval | None
    p: float | None
    p_holm: float | None
    verdict: PairVerdict
    margin: float
    p_equivalent: float | None = None
    more_blocks: int | None = None
    method: str = ""
    paired: bool = True
    warnings: tuple[str, ...] = ()
    least_p: float | None = None
    tests: int = 0
    ratio: bool = False

    @property
    def turned(self) -> "PairComparison":
        """The same, said of `a` against `b`."""
        ends = self.difference_ci95
        return replace(
            self,
            a=self.b,
            b=self.a,
            n=(self.n[1], self.n[0]),
            median=(self.median[1], self.median[0]),
            ci95=(self.ci95[1], self.ci95[0]),
            difference=None if self.difference is None else self._turned(self.difference),
            difference_ci95=(self._turned(ends[1]), self._turned(ends[0])) if ends else None,
            verdict=_TURNED.get(self.verdict, self.verdict),
        )

    def _turned(self, difference: float) -> float:
        of_a, of_b = self.median
        if not self.ratio or not of_a or not of_b:
            return -difference
        return of_b * (of_a / (of_a + difference) - 1)
