"""What the comparison of 20 columns over 20 repeats costs: 190 pairs by four measures.

Of the processor, since it waits for nothing; the least of some rounds.
"""

import random
import statistics
import time

from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.pair_tests import pair_comparisons, pairs_of
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import Measure
from ipvsload.statistics.median_interval import median_interval

COLUMNS, REPEATS, MARGIN = 20, 20, 0.05
NAMES = ("latency_p95", "failed_share")
CLASSES = ("short", "long")
LIMIT_MS = 1000
ROUNDS = 3


def main() -> None:
    """Print the figure."""
    draw = random.Random(1)
    measures = [str(Measure(name, class_=one)) for one in CLASSES for name in NAMES]
    columns = [_column(f"v{i}", name, draw) for name in measures for i in range(COLUMNS)]
    pairs = list(pairs_of(columns))
    costs = []
    for _ in range(ROUNDS):
        began = time.process_time()
        pair_comparisons(pairs, MARGIN)
        costs.append((time.process_time() - began) * 1000)
    print(
        f"{len(pairs)} comparisons of {COLUMNS} columns over {REPEATS} repeats:"
        f" {min(costs):.0f} ms of the processor (to reach: {LIMIT_MS})"
    )


def _column(label: str, measure: str, draw: random.Random) -> MeasuredColumn:
    kind = MEASURES[Measure.of(measure).name]
    values = [draw.gauss(0.5, 0.05) for _ in range(REPEATS)]
    if kind.unit == "fraction":  # counts of failures, with ties
        values = [round(value, 2) for value in values]
    return MeasuredColumn(
        label=label,
        measure=measure,
        unit=kind.unit,
        better=kind.better,
        blocks=tuple(enumerate(values, 1)),
        median=statistics.median(values),
        ci95=median_interval(values),
    )


if __name__ == "__main__":
    main()
