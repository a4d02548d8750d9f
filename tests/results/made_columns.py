"""Columns as if they were measured: their values are given, or drawn from a seed."""

import random
import statistics
from collections.abc import Sequence

from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import Measure
from ipvsload.statistics.median_interval import median_interval


def column(label: str, values: Sequence[float], measure: str = "latency_p95") -> MeasuredColumn:
    kind = MEASURES[Measure.of(measure).name]
    return MeasuredColumn(
        label=label,
        measure=measure,
        unit=kind.unit,
        better=kind.better,
        blocks=tuple(enumerate(values, 1)),
        median=statistics.median(values) if values else None,
        ci95=median_interval(values),
    )


def drawn(
    label: str,
    shift: float,
    n: int,
    noise: float = 0.1,
    seed: int = 7,
    measure: str = "latency_p95",
) -> MeasuredColumn:
    """About 20 more than the shift; blocks of one seed have most of their noise in common."""
    blocks, mine = random.Random(seed), random.Random(f"{label}/{seed}")
    values = [20 + blocks.gauss(0, 3) + shift + mine.gauss(0, noise) for _ in range(n)]
    return column(label, values, measure)
