"""The kernel beside the model: each played the same arrivals, block by block."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from benchmarks.markdown_table import markdown
from benchmarks.scheduler_study.kernel_cell import BY_COUNTS, PLAYED, RANDOM_THERE
from benchmarks.scheduler_study.kernel_part import KERNEL, MODEL, PERCENTILES, KernelRow
from benchmarks.scheduler_study.study_words import span, times
from ipvsload.results.pair_comparison import Interval, MeasuredColumn, PairComparison
from ipvsload.results.pair_tests import pair_comparisons
from ipvsload.statistics.median_interval import median_interval

MARGIN = 0.05

Blocks = dict[int, float]


class Beside(NamedTuple):
    """One percentile of one scheduler in one cell, in ms; `over` is the kernel's over the model's.

    `ci95` is that of the kernel's median, and `inside` whether the model's median lies in it.
    """

    cell: str
    scheduler: str
    percentile: str
    kernel_ms: float
    ci95: Interval
    model_ms: float
    inside: bool
    over: float
    over_ci95: Interval


class Leaving(NamedTuple):
    """What leaving a scheduler costs at p99, over the kernel and on the model with its arrivals.

    `inside`: the model's ratio lies in the kernel's interval. A cell is an experiment of its own,
    as for `ipvsload compare`, and `p_holm` is corrected within it.
    """

    cell: str
    scheduler: str
    kernel: float
    ci95: Interval
    p_holm: float
    model: float
    inside: bool


class KernelStudy:
    """All that was played over the kernel, and the same on the model."""

    def __init__(self, rows: Iterable[KernelRow]) -> None:
        self._blocks: dict[tuple[str, str, str, str], Blocks] = defaultdict(dict)
        self.schedulers: dict[str, list[str]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: PLAYED.index(row.scheduler)):
            if row.scheduler not in self.schedulers[row.cell]:
                self.schedulers[row.cell].append(row.scheduler)
            for percentile in PERCENTILES:
                at = row.cell, row.source, row.scheduler, percentile
                self._blocks[at][row.block] = getattr(row, percentile)
        self.beside = [
            self._beside(cell, scheduler, percentile)
            for cell, schedulers in self.schedulers.items()
            for scheduler in schedulers
            for percentile in PERCENTILES
        ]
        self.leaving = self._leaving()

    def _beside(self, cell: str, scheduler: str, percentile: str) -> Beside:
        kernel = self._blocks[cell, KERNEL, scheduler, percentile]
        model = self._of_model(cell, scheduler, percentile)
        (pair,) = pair_comparisons(((_column("model", model), _column("kernel", kernel)),), MARGIN)
        kernel_ms, model_ms = (statistics.median(one.values()) for one in (kernel, model))
        low, high = median_interval(list(kernel.values())) or (0.0, float("inf"))
        return Beside(
            cell, scheduler, percentile, kernel_ms, (low, high), model_ms, low <= model_ms <= high,
            *_ratio(pair),
        )  # fmt: skip

    def _leaving(self) -> list[Leaving]:
        found = []
        for cell, schedulers in self.schedulers.items():
            others = [one for one in schedulers if one != RANDOM_THERE]
            kernels, models = (
                pair_comparisons([self._pair(cell, source, one) for one in others], MARGIN)
                for source in (KERNEL, MODEL)
            )
            for scheduler, kernel, model in zip(others, kernels, models, strict=True):
                ratio, (low, high) = _ratio(kernel)
                of_model, _ = _ratio(model)
                p_holm = 1.0 if kernel.p_holm is None else kernel.p_holm
                inside = low <= of_model <= high
                found.append(Leaving(cell, scheduler, ratio, (low, high), p_holm, of_model, inside))
        return found

    def _pair(
        self, cell: str, source: str, scheduler: str
    ) -> tuple[MeasuredColumn, MeasuredColumn]:
        own, chance = (
            self._blocks[cell, source, one, "p99"]
            if source == KERNEL
            else self._of_model(cell, one, "p99")
            for one in (scheduler, RANDOM_THERE)
        )
        return _column(scheduler, own), _column(RANDOM_THERE, chance)

    def _of_model(self, cell: str, scheduler: str, percentile: str) -> Blocks:
        """In those blocks that the kernel has, too."""
        kernel = self._blocks[cell, KERNEL, scheduler, percentile]
        model = self._blocks[cell, MODEL, scheduler, percentile]
        return {block: value for block, value in model.items() if block in kernel}


def _column(label: str, blocks: Blocks) -> MeasuredColumn:
    told = tuple(sorted(blocks.items()))
    return MeasuredColumn(
        label, "p99", "ms", "less", told, statistics.median(blocks.values()), None
    )


def _ratio(pair: PairComparison) -> tuple[float, Interval]:
    base = pair.median[0]
    assert base
    assert pair.difference is not None
    low, high = pair.difference_ci95 or (-base, float("inf"))
    return 1 + pair.difference / base, (1 + low / base, 1 + high / base)


def beside_table(study: KernelStudy, cell: str) -> str:
    """Each scheduler's times over the kernel and on the model."""
    rows = [
        ["scheduler", *(f"{p}: kernel, model, ms" for p in PERCENTILES), "kernel over model, p99"]
    ]
    for scheduler in study.schedulers[cell]:
        row = [scheduler]
        for one in study.beside:
            if (one.cell, one.scheduler) == (cell, scheduler):
                low, high = one.ci95
                model = f"{_ms(one.model_ms)}"
                row.append(
                    f"{_ms(one.kernel_ms)} [{_ms(low)}, {_ms(high)}], "
                    + (model if one.inside else f"**{model}**")
                )
                last = one
        low, high = last.over_ci95
        rows.append([*row, f"{times(last.over)} [{low:.2f}, {high:.2f}]"])
    return markdown(rows)


def _ms(time: float) -> str:
    return f"{time:,.0f}" if time >= 100 else f"{time:.3g}"


def leaving_table(study: KernelStudy) -> str:
    """What leaving costs, by both."""
    rows = [["cell", "leaving", "kernel: p99", "p (Holm)", "model: p99"]]
    for one in study.leaving:
        low, high = one.ci95
        model = times(one.model)
        rows.append(
            [
                one.cell,
                one.scheduler,
                f"{times(one.kernel)} [{low:.2f}, {high:.2f}]",
                f"{one.p_holm:.2g}",
                model if one.inside else f"**{model}**",
            ]
        )
    return markdown(rows)


def agreement(study: KernelStudy) -> dict[str, str]:
    """The counts that pages tell."""
    beside, leaving = study.beside, study.leaving
    return {
        "figures": str(len(beside)),
        "inside": str(sum(one.inside for one in beside)),
        "over": span([one.over for one in beside if one.scheduler in BY_COUNTS]),
        "effects": str(len(leaving)),
        "effects_inside": str(sum(one.inside for one in leaving)),
        "same_side": str(sum((one.kernel > 1) == (one.model > 1) for one in leaving)),
    }


def title(cell: str) -> str:
    """Such as "4 directors, heavy-tailed work"."""
    directors, _, rest = cell.partition("-")
    work = rest.removesuffix("-scale-out")
    held = ", connections that stay open on the older half" * rest.endswith("-scale-out")
    return f"{directors} director{'s' * (directors != '1')}, {work} work{held}"
