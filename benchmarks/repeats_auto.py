"""What `--repeats auto` does to p-values: two columns that are alike, under its own rule.

Run as `python -m benchmarks.repeats_auto [EXPERIMENTS]`, by default 1000 of each kind. A block has
two values that differ by chance alone, so whatever a test finds is a false alarm. The rule ends an
experiment as it does in a run (results/precision.py). Prints the table of docs/comparing.md; it
takes about a minute.
"""

import math
import random
import statistics
import sys
from collections.abc import Callable

from ipvsload.results.column_difference import column_difference
from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.precision import LEAST_BLOCKS, decision, widest
from ipvsload.statistics.clopper_pearson import clopper_pearson
from ipvsload.statistics.difference import Difference

MOST, PRECISION, LEVEL = 50, 0.05, 0.05
KINDS: dict[str, Callable[[random.Random], float]] = {
    "normal": lambda dice: dice.gauss(0, 1),
    # Of deviation 1, too: the difference of two exponential times.
    "heavy-tailed": lambda dice: (dice.expovariate(1) - dice.expovariate(1)) / 2**0.5,
}


def main() -> None:
    """Print a row for each kind of difference and each deviation."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("| differences | deviation | blocks, median (least to most) | p < 0.05 | interval |")
    print("| --- | --- | --- | --- | --- |")
    for kind, draw in KINDS.items():
        for deviation in (8, 12, 16):
            ended = [experiment(draw, deviation, seed) for seed in range(many)]
            blocks = [one.n[0] for one in ended]
            alarms = sum(one.p < LEVEL for one in ended)
            low, high = clopper_pearson(alarms, many)
            print(
                f"| {kind} | {deviation} % | {statistics.median(blocks):.0f} ({min(blocks)} to"
                f" {max(blocks)}) | {alarms / many:.1%} | {low:.1%} to {high:.1%} |",
                flush=True,
            )


def experiment(draw: Callable[[random.Random], float], deviation: float, seed: int) -> Difference:
    """What is known when the rule has ended it; `deviation` is that of the ratio, in percent."""
    dice = random.Random(f"{seed}/{deviation}")
    rr: dict[int, float] = {}
    lc: dict[int, float] = {}
    for block in range(1, MOST + 1):
        rr[block] = dice.gauss(100, 20)
        lc[block] = rr[block] * math.exp(deviation / 100 * draw(dice))
        if block < LEAST_BLOCKS:
            continue
        width = widest([_column("rr", rr), _column("lc", lc)], "rr")
        if decision(width, block, MOST, PRECISION).ends:
            break
    found = column_difference(_column("rr", rr), _column("lc", lc), PRECISION)
    assert found is not None
    return found.test


def _column(label: str, values: dict[int, float]) -> MeasuredColumn:
    median = statistics.median(values.values())
    return MeasuredColumn(label, "p95", "ms", "less", tuple(values.items()), median, None)


if __name__ == "__main__":
    main()
