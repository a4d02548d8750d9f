"""`make study-statistics`: how often the verdict cries wolf, and how often it finds a real 5 %.

Run as `python -m benchmarks.statistics_study [DIR...]`: DIR is a recording of `ipvsload run
benchmarks/study/self-check.yaml --self-check 40 --no-witness`, which is made where none is given
and takes three quarters of an hour. The model takes two minutes more.

False alarms are those of a scheduler compared with itself. A real 5 % is made of the same runs: the
second column's values times 1.05; and on the model of work that is 5 % longer, too, with the same
arrivals: there the time in queues grows by more than that.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ipvsload.results.false_alarms import self_check_result
from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.pair_tests import pair_comparisons, pairs_of
from ipvsload.scenario.self_check import SelfCheck
from ipvsload.statistics.clopper_pearson import clopper_pearson

SCENARIO = Path(__file__).with_name("study") / "self-check.yaml"
ON_KERNEL = 40
PAIRS, ON_MODEL = 5, 100
"""On the model so many pairs of simulations, of so many comparisons each."""
BLOCKS = 10
MARGIN = 0.05
LONGER = 1.05

Columns = Sequence[MeasuredColumn]


def main() -> None:
    """Print a line for each figure of the documentation."""
    with tempfile.TemporaryDirectory() as scratch:
        for scheduler in ("lc", "iptables"):
            parts = [checked_on_model(Path(scratch), scheduler, pair) for pair in range(PAIRS)]
            tell(f"model, {scheduler}", parts)
        power("model, lc, work 5 % longer", [longer_work(Path(scratch))])
        kernel = [Path(word) for word in sys.argv[1:]] or [checked_on_kernel(Path(scratch))]
        tell("kernel, lc", [columns_of(directory) for directory in kernel])


def tell(name: str, recordings: Sequence[Columns]) -> None:
    """The false alarms of self-checks, and what is found where the second column is 5 % more."""
    false_alarms(name, recordings)
    power(f"{name}, times {LONGER}", [times(columns, LONGER) for columns in recordings])


def false_alarms(name: str, recordings: Sequence[Columns]) -> None:
    """By the code of `--self-check`, over 10 blocks each."""
    checks = [self_check_result(check_of(one), one, MARGIN) for one in recordings]
    made = sum(check.comparisons for check in checks)
    left_out = sum(check.left_out for check in checks)
    print(f"{name}: false alarms {share(sum(one.alarms for one in checks), made)}")
    for at, first in enumerate(checks[0].measures):
        of = [check.measures[at] for check in checks]
        if any(one.tested for one in of):
            alone = share(sum(one.uncorrected for one in of), made)
            alike = share(sum(one.equivalent for one in of), made)
            print(f"  {first.measure}: without Holm {alone}; equivalent within 5 % {alike}")
    if left_out:
        print(f"  {left_out} blocks left out")
    sys.stdout.flush()


def power(name: str, recordings: Sequence[Columns]) -> None:
    """How often the difference is found with 10 blocks and with 20, corrected over the measures."""
    for blocks in (BLOCKS, 2 * BLOCKS):
        found: dict[str, list[bool]] = {}
        for columns in recordings:
            for start in range(1, last_block(columns) + 2 - blocks, blocks):
                part = [only(one, range(start, start + blocks)) for one in columns]
                for pair in pair_comparisons(tuple(pairs_of(part)), MARGIN):
                    if pair.tests:
                        found.setdefault(pair.measure, []).append(pair.verdict == "greater")
        for measure, each in found.items():
            print(f"{name}: {measure} found with {blocks} blocks {share(sum(each), len(each))}")
    sys.stdout.flush()


def share(count: int, whole: int) -> str:
    """Such as "4 of 200, 2.0 % [0.5, 5.0]"."""
    low, high = clopper_pearson(count, whole)
    return f"{count} of {whole}, {100 * count / whole:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def check_of(columns: Columns) -> SelfCheck:
    """As many comparisons as there are blocks for."""
    first, second = dict.fromkeys(one.label for one in columns)
    return SelfCheck(first, second, last_block(columns) // BLOCKS, BLOCKS)


def last_block(columns: Columns) -> int:
    """The number of the last one that was played."""
    return max(block for one in columns for block, _ in one.blocks)


def only(column: MeasuredColumn, blocks: range) -> MeasuredColumn:
    """The column as these blocks show it."""
    found = tuple((block, value) for block, value in column.blocks if block in blocks)
    middle = statistics.median(value for _, value in found) if found else None
    return replace(column, blocks=found, median=middle)


def times(columns: Columns, factor: float) -> Columns:
    """The second column with its values multiplied."""
    second = columns[1].label
    return [
        replace(one, blocks=tuple((block, value * factor) for block, value in one.blocks))
        if one.label == second
        else one
        for one in columns
    ]


def checked_on_model(scratch: Path, scheduler: str, pair: int) -> Columns:
    """A hundred comparisons; both columns have arrivals and work of their own.

    As --self-check has them, without a record: percentiles are exact to 0.3 %.
    """
    first, second = (
        simulated(scratch / f"{scheduler}-{seed}", SCENARIO, scheduler, seed)
        for seed in (2 * pair + 1, 2 * pair + 2)
    )
    return beside(first, second)


def checked_on_kernel(scratch: Path) -> Path:
    """Forty comparisons; both columns have the arrivals and work of their block."""
    out = scratch / "kernel"
    made(out, "run", SCENARIO, "--self-check", str(ON_KERNEL), "--no-witness")
    return out


def longer_work(scratch: Path) -> Columns:
    """Blocks of lc, and of lc with 5 % more work for each request; both have the same arrivals."""
    longer = scratch / "longer.yaml"
    longer.write_text(SCENARIO.read_text().replace("exponential 30ms", "exponential 31.5ms"))
    first = simulated(scratch / "as-it-is", SCENARIO, "lc", 1)
    return beside(first, simulated(scratch / "more", longer, "lc", 1))


def simulated(out: Path, scenario: Path, scheduler: str, seed: int) -> Columns:
    """Its column over many blocks."""
    words = ["--scheduler", scheduler, "--seed", str(seed), "--repeats", str(ON_MODEL * BLOCKS)]
    return made(out, "simulate", scenario, "--summary", *words)


def beside(first: Columns, second: Columns) -> Columns:
    """The two columns of each measure together."""
    other = [replace(one, label=f"{one.label}-again") for one in second]
    return [column for pair in zip(first, other, strict=True) for column in pair]


def made(out: Path, *words: object) -> Columns:
    """The columns after `ipvsload WORDS`. Raises RuntimeError where it made none."""
    command = [sys.executable, "-m", "ipvsload", *map(str, words), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if not (out / "results.json").exists():
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return columns_of(out)


def columns_of(directory: Path) -> Columns:
    """What results.json has of each column by each measure."""
    told: Iterable[dict[str, Any]] = json.loads((directory / "results.json").read_text())["columns"]
    return [
        MeasuredColumn(
            one["label"],
            one["measure"],
            one["unit"],
            one["better"],
            tuple((block, value) for block, value in one["blocks"]),
            one["median"],
            None,
        )
        for one in told
    ]


if __name__ == "__main__":
    main()
