"""Which columns are the best for a class of traffic: those that no other is shown to beat.

Classes are judged by the first measure under test of which it is known which way is good, of
latency before others. Failures stand beside it, because only answered requests have a latency.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ipvsload.results.pair_comparison import MeasuredColumn, PairComparison
from ipvsload.results.pair_tests import LEVEL
from ipvsload.results.results import Results
from ipvsload.scenario.measures.base import Measure

FAILED = "failed_share"


@dataclass(frozen=True, slots=True)
class MeasuredPair:
    """One comparison, said of column `x` against column `y`: its `difference` is x - y."""

    comparison: PairComparison

    @property
    def shown(self) -> int:
        """1 where x is shown to be greater, -1 where it is shown to be less, else 0."""
        return {"greater": 1, "less": -1}.get(self.comparison.verdict, 0)

    @property
    def within_margin(self) -> bool:
        """Whether it is shown that whatever differs is less than what matters."""
        p = self.comparison.p_equivalent
        return p is not None and p < LEVEL


@dataclass(frozen=True, slots=True)
class ClassStanding:
    """One class (None: all together) by one measure. `failures` are its columns, by label."""

    name: str | None
    columns: tuple[MeasuredColumn, ...]
    failures: Mapping[str, MeasuredColumn]
    pairs: Mapping[tuple[str, str, str], PairComparison]

    @property
    def measure(self) -> str:
        """What it is judged by."""
        return self.columns[0].measure

    @property
    def measured(self) -> tuple[MeasuredColumn, ...]:
        """Those that have a value."""
        return tuple(one for one in self.columns if one.blocks)

    def pair(self, x: str, y: str, measure: str | None = None) -> MeasuredPair | None:
        """The two columns by the class's measure, or by another one."""
        of = measure or self.measure
        if (straight := self.pairs.get((of, y, x))) is not None:
            return MeasuredPair(straight)
        other = self.pairs.get((of, x, y))
        return None if other is None else MeasuredPair(other.turned)

    def beats(self, x: str, y: str) -> bool:
        """Whether x is shown to be better than y, by more than what matters to nobody."""
        good = {"less": -1, "greater": 1}.get(self.columns[0].better or "")
        found = self.pair(x, y)
        return found is not None and found.shown == good and not found.within_margin

    @property
    def best(self) -> tuple[str, ...]:
        """The labels of those that none beats, in the order of the columns."""
        labels = [one.label for one in self.measured]
        return tuple(x for x in labels if not any(self.beats(y, x) for y in labels if y != x))


def class_standings(results: Results) -> tuple[ClassStanding, ...]:
    """One for each class that has a measure of which it is known which way is good."""
    pairs = {(one.measure, one.a, one.b): one for one in results.comparison}
    by_class: dict[str | None, list[tuple[MeasuredColumn, ...]]] = {}
    for _, same in groupby(results.columns, key=lambda column: column.measure):
        columns = tuple(same)
        of = Measure.of(columns[0].measure)
        if columns[0].better and of.server is None:
            by_class.setdefault(of.class_, []).append(columns)
    return tuple(_standing(name, found, pairs) for name, found in by_class.items())


def _standing(
    name: str | None,
    found: Sequence[tuple[MeasuredColumn, ...]],
    pairs: Mapping[tuple[str, str, str], PairComparison],
) -> ClassStanding:
    def rank(columns: tuple[MeasuredColumn, ...]) -> int:
        if Measure.of(columns[0].measure).name == FAILED:
            return 2
        return 0 if columns[0].unit == "ms" else 1

    failed = next((one for one in found if rank(one) == 2), ())
    return ClassStanding(name, min(found, key=rank), {one.label: one for one in failed}, pairs)
