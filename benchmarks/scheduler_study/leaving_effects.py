"""What leaving a scheduler costs: the times under chance over those under the scheduler.

By the tests of `ipvsload compare`: blocks are pairs, differences are of logarithms, and Holm's
correction is over all tests of the whole study at once. Pure.
"""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from benchmarks.scheduler_study.kept_cells import Key, Row
from benchmarks.scheduler_study.study_cell import KEYS, RANDOM
from ipvsload.results.pair_comparison import MeasuredColumn, PairVerdict
from ipvsload.results.pair_tests import pair_comparisons

PERCENTILES = ("p50", "p95", "p99")
MARGIN = 0.05
FULL = 1.05
"""A pod that is asked for more than this part of its capacity is overloaded, and not by chance:
its queue grows as long as one looks."""
USUAL: Mapping[str, object] = {
    "work": "exponential", "pods": 10, "mean_ms": 100, "pod_kind": "equal",
    "held": "none", "start": "settled",
}  # fmt: skip


class Effect(NamedTuple):
    """Leaving `scheduler` makes this percentile `ratio` times as long, [`low`, `high`] at 95 %.

    "greater": it is shown that times are longer under chance; "less": shorter; "equivalent": within
    5 %; "~": nothing is shown. Medians of the blocks are in ms.
    """

    ratio: float
    low: float
    high: float
    p_holm: float
    verdict: PairVerdict
    own_ms: float
    random_ms: float
    blocks: int


class Study:
    """All cells of the data, by what a reader looks them up by."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.cells: dict[Key, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            self.cells[row.key][row.scheduler].append(row)
        self.effects, self.tests = _effects(self.cells)

    def key(self, **asked: object) -> Key:
        """The cell that is as usual, but for what is asked."""
        return key_of({**USUAL, **asked})

    def effect(self, scheduler: str, percentile: str = "p99", /, **asked: object) -> Effect:
        """What leaving costs there. Raises KeyError where it was not played."""
        return self.effects[self.key(**asked), scheduler, percentile]

    def busiest(self, key: Key, scheduler: str) -> float:
        """What is asked of the pod with most to do, as a part of its capacity: the median."""
        return statistics.median(row.measured.busiest for row in self.cells[key][scheduler])

    def overloads(self, key: Key, scheduler: str) -> bool:
        """Whether a pod is asked for more than it can do."""
        return self.busiest(key, scheduler) > FULL


def key_of(values: Mapping[str, object]) -> Key:
    """As the data write it."""
    return tuple(
        f"{values[name]:g}" if isinstance(values[name], float) else str(values[name])
        for name in KEYS
    )


def _effects(
    cells: Mapping[Key, Mapping[str, list[Row]]],
) -> tuple[dict[tuple[Key, str, str], Effect], int]:
    asked = [
        (key, scheduler, percentile)
        for key, by_scheduler in cells.items()
        for scheduler, rows in by_scheduler.items()
        for percentile in PERCENTILES
        if scheduler != RANDOM and len(rows) == len(by_scheduler[RANDOM])
    ]
    columns = {
        (key, scheduler, percentile): _column(scheduler, percentile, cells[key][scheduler])
        for key, by_scheduler in cells.items()
        for scheduler in by_scheduler
        for percentile in PERCENTILES
    }
    pairs = [(columns[one], columns[one[0], RANDOM, one[2]]) for one in asked]
    found = pair_comparisons(pairs, MARGIN)
    effects = {}
    for one, (own, chance), pair in zip(asked, pairs, found, strict=True):
        assert own.median
        assert chance.median
        assert pair.difference is not None
        low, high = pair.difference_ci95 or (-own.median, float("inf"))
        effects[one] = Effect(
            1 + pair.difference / own.median,
            1 + low / own.median,
            1 + high / own.median,
            1.0 if pair.p_holm is None else pair.p_holm,
            pair.verdict,
            own.median,
            chance.median,
            min(pair.n),
        )
    return effects, max((pair.tests for pair in found), default=0)


def _column(scheduler: str, percentile: str, rows: Iterable[Row]) -> MeasuredColumn:
    blocks = tuple((row.block, float(getattr(row.measured, percentile))) for row in rows)
    middle = statistics.median(value for _, value in blocks)
    return MeasuredColumn(scheduler, percentile, "ms", "less", blocks, middle, None)
