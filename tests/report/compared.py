"""Columns that were compared, by hand: their blocks are drawn from a seed."""

import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.pair_tests import pair_comparisons, pairs_of
from ipvsload.results.results import Results
from ipvsload.scenario.measures.base import Unit
from ipvsload.statistics.median_interval import median_interval

MARGIN = 0.05
NOISE = 0.06


def measured_column(
    label: str, measure: str, values: Sequence[float], unit: Unit = "ms"
) -> MeasuredColumn:
    """A column of which less is better, with these values in its blocks."""
    return MeasuredColumn(
        label, measure, unit, "less",
        tuple(enumerate(values, 1)), statistics.median(values), median_interval(values),
    )  # fmt: skip


def with_columns(found: Results, columns: Sequence[MeasuredColumn]) -> Results:
    """The results with these columns, all of them compared; the first is the baseline."""
    return replace(
        found,
        baseline=columns[0].label,
        columns=tuple(columns),
        comparison=pair_comparisons(tuple(pairs_of(columns)), MARGIN),
    )


def compared(
    found: Results,
    measures: Mapping[str, Mapping[str, float]],
    repeats: int = 10,
    unit: Unit = "ms",
) -> Results:
    """The results with columns of these medians, by measure and label.

    Each block has a noise of its own, which its columns share, and each run a little more.
    """
    draw = random.Random(7)
    blocks = [draw.gauss(1, NOISE) for _ in range(repeats)]
    return with_columns(
        found,
        [
            measured_column(
                label, measure, [middle * b * draw.gauss(1, NOISE / 3) for b in blocks], unit
            )
            for measure, by_label in measures.items()
            for label, middle in by_label.items()
        ],
    )
