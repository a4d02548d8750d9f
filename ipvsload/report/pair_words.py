"""What is shown of two columns, in words: the same in every report."""

from ipvsload.report.measure_words import (
    difference_words,
    measure_words,
    p_words,
    part_words,
)
from ipvsload.report.wording import plural
from ipvsload.results.pair_comparison import MeasuredColumn, PairComparison
from ipvsload.results.pair_tests import LEVEL
from ipvsload.scenario.measures.base import Measure

MOST_BLOCKS = 1_000
"""As many as `--repeats` takes."""
_FAILURES = ("failed_share", "failures")


def than_words(column: MeasuredColumn, *, less: bool, many: bool = False) -> str:
    """How one with less of it, or more, stands to another: "is quicker than"; of `many`, "are"."""
    if Measure.of(column.measure).name in _FAILURES:
        return f"{'fail' if many else 'fails'} {'less' if less else 'more'} than"
    if column.unit in ("ms", "s") and column.better == "less":
        return f"{'are' if many else 'is'} {'quicker' if less else 'slower'} than"
    return f"{'have' if many else 'has'} {'less' if less else 'more'} than"


def pair_sentence(
    comparison: PairComparison, column_a: MeasuredColumn, column_b: MeasuredColumn
) -> str:
    """All of it, said of the second column: by how much its values are more than the first one's.

    "lc is quicker than rr: short p95 -1.1 ms [-1.3, -0.9], p 0.001 (Holm), 10 blocks".
    """
    of, a, b = measure_words(comparison.measure), comparison.a, comparison.b
    if comparison.difference is None:
        lacking = [one.label for one in (column_a, column_b) if not one.blocks]
        why = f"{' and '.join(lacking)} has no value" if lacking else "no block has both"
        return f"{b} and {a}: {of} cannot be compared, because {why}"
    sure = f", {p_words(comparison.p_holm)} (Holm)" if comparison.p_holm is not None else ""
    told = difference_words(comparison.difference, comparison.difference_ci95, column_b.unit)
    figures = f"{of} {told}{sure}, {runs_words(comparison)}"
    match comparison.verdict:
        case "less" | "greater":
            less = comparison.verdict == "less"
            than = than_words(column_b, less=less)
            small = f"; {_within(comparison)}" if is_equivalent(comparison) else ""
            return f"{b} {than} {a}: {figures}{small}"
        case "equivalent" if is_alike(comparison):
            return f"{b} and {a}: {of} {verdict_words(comparison, column_b)}"
        case _:
            return f"{b} and {a}: {figures}: {verdict_words(comparison, column_b)}"


def verdict_words(comparison: PairComparison, column: MeasuredColumn) -> str:
    """What is shown and no more: "quicker", "equivalent within 5 %", "~ (no difference ...)"."""
    match comparison.verdict:
        case "less" | "greater":
            less = comparison.verdict == "less"
            than = than_words(column, less=less).removesuffix(" than")
            return than.removeprefix("is ").removeprefix("has ")
        case "equivalent":
            alike = f" (the same in all {runs_words(comparison)})" if is_alike(comparison) else ""
            return f"{_within(comparison)}{alike}"
        case _:
            return f"~ (no difference is shown{more_words(comparison)})"


def more_words(comparison: PairComparison) -> str:
    """How many more would show a difference; "" where nobody can say it."""
    more, margin = comparison.more_blocks, part_words(comparison.margin)
    if more is None:
        return ""
    if not more:
        return f"; one of {margin} would have been, in 4 of 5 experiments"
    unit = "block" if comparison.paired else "run"
    each = "" if comparison.paired else " of each"
    return f"; {needed_words(more, unit)}{each} would show one of {margin}"


def needed_words(more: int, unit: str = "block") -> str:
    """So many, or that it would take more than anybody runs."""
    if more > MOST_BLOCKS:
        return f"not even {MOST_BLOCKS:,} more {unit}s"
    return plural(more, f"more {unit}")


def runs_words(comparison: PairComparison) -> str:
    """How much it stands on: "10 blocks", or "10 and 12 runs" that share none."""
    if comparison.paired:
        return plural(comparison.n[0], "block")
    return f"{comparison.n[0]} and {plural(comparison.n[1], 'run')}"


def is_equivalent(comparison: PairComparison) -> bool:
    """Whether it is shown that what differs is within the margin, also where something does."""
    return comparison.p_equivalent is not None and comparison.p_equivalent < LEVEL


def is_alike(comparison: PairComparison) -> bool:
    """Whether nothing differs in any block."""
    return comparison.difference == 0 and comparison.least_p == 1


def _within(comparison: PairComparison) -> str:
    return f"equivalent within {part_words(comparison.margin)}"
