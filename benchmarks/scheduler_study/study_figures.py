"""The figures of the pages, as SVG: the same data draw the same bytes.

By matplotlib. Each scheduler has a colour that colour-blind people tell apart, and a mark and a
line of its own, so that none needs its colour. The ground is white, also on a dark page.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from benchmarks.scheduler_study.grid import FEW_LOADS, LOADS, NODES, NODES_BETWEEN, WORKS
from benchmarks.scheduler_study.kept_cells import Key
from benchmarks.scheduler_study.kernel_checks import KernelStudy
from benchmarks.scheduler_study.leaving_effects import Study
from benchmarks.scheduler_study.study_cell import KEYS
from benchmarks.scheduler_study.study_tables import remembering

STYLES = {
    "random": ("#555555", "x", ":"),
    "rr": ("#0072B2", "o", "-"),
    "lc": ("#D55E00", "s", "--"),
    "sed": ("#009E73", "^", "-."),
}
"""Colour (Okabe and Ito's), mark and line of each."""
NAMES = {"random": "chance"}
_RC: dict[Any, Any] = {
    "svg.hashsalt": "ipvsload",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


def draw(study: Study, kernel: KernelStudy | None, directory: Path) -> None:
    """Write all figures of which there are data."""
    drawings: dict[str, tuple[int, Callable[[Sequence[Axes]], None]]] = {
        "leaving": (3, lambda axes: leaving(study, axes)),
        "load": (3, lambda axes: by_load(study, axes)),
        "memory": (2, lambda axes: memory(study, axes)),
        "held": (3, lambda axes: held(study, axes)),
    }
    if kernel is not None:
        drawings["kernel"] = (2, lambda axes: beside_kernel(kernel, axes))
    with matplotlib.rc_context(_RC):
        for name, (panels, drawn) in drawings.items():
            figure = Figure(figsize=(8.2, 3.3), layout="constrained", facecolor="white")
            FigureCanvasSVG(figure)
            axes = figure.subplots(1, panels, squeeze=False, sharey=panels == 3)[0]
            drawn(list(axes))
            named = (zip(*at.get_legend_handles_labels(), strict=True) for at in axes)
            by_label = {label: handle for each in named for handle, label in each}
            figure.legend(by_label.values(), by_label, loc="outside right upper")
            figure.savefig(directory / f"{name}.svg", metadata={"Date": None, "Creator": None})


def leaving(study: Study, axes: Sequence[Axes]) -> None:
    """What leaving costs at p99, by the number of nodes, at 0.9 of capacity."""
    for at, work in zip(axes, WORKS, strict=True):
        nodes = sorted({*NODES, *(NODES_BETWEEN if work == "exponential" else ())})
        there = [n for n in nodes if study.key(nodes=n, load=0.9, work=work) in study.cells]
        for scheduler in ("rr", "lc", "sed"):
            found = [study.effect(scheduler, nodes=n, load=0.9, work=work) for n in there]
            ratios = [one.ratio for one in found]
            ends = [
                [one.ratio - one.low for one in found],
                [one.high - one.ratio for one in found],
            ]
            _line(at, scheduler, there, ratios, ends)
        _ratio_axis(at)
        at.set_xscale("log")
        at.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
        at.set_title(f"{work} work")
        at.set_xlabel("nodes that balance")
    axes[0].set_ylabel("p99 after leaving, over before")


def by_load(study: Study, axes: Sequence[Axes]) -> None:
    """p99 by load, for ten nodes."""
    for at, work in zip(axes, WORKS, strict=True):
        loads = [x for x in LOADS if study.key(nodes=10, load=x, work=work) in study.cells]
        for scheduler in ("random", "rr", "lc", "sed"):
            of = "rr" if scheduler == "random" else scheduler
            found = [study.effect(of, nodes=10, load=one, work=work) for one in loads]
            ms = [one.random_ms if scheduler == "random" else one.own_ms for one in found]
            _line(at, scheduler, loads, ms)
        at.set_yscale("log")
        _plain(at, [50, 100, 200, 500, 1000, 2000, 5000], "{:,.0f}")
        at.set_title(f"{work} work")
        at.xaxis.set_major_locator(FixedLocator([0.5, 0.7, 0.9]))
        at.set_xlabel("load, of capacity")
    axes[0].set_ylabel("p99, ms (mean work 100 ms)")


def memory(study: Study, axes: Sequence[Axes]) -> None:
    """Of lc, by what a node remembers of a pod: what leaving costs, and the busiest pod."""
    points = remembering(study)
    x = [remembered for remembered, _ in points]
    ratios = [study.effects[key, "lc", "p99"].ratio for _, key in points]
    marks = {"10": "s", "4": "v", "32": "D"}
    for at, values in zip(
        axes, (ratios, [study.busiest(key, "lc") for _, key in points]), strict=True
    ):
        for pods, mark in marks.items():
            chosen = [
                (a, b) for a, b, key in zip(x, values, _keys(points), strict=True) if key == pods
            ]
            if chosen:
                at.plot(
                    *zip(*chosen, strict=True), mark, color=STYLES["lc"][0], label=f"{pods} pods"
                )
        at.set_xscale("log")
        at.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}"))
        at.set_xlabel("remembered of a pod by a node")
    _ratio_axis(axes[0])
    axes[0].set_ylabel("p99 after leaving lc, over before")
    line = sorted(x)
    axes[1].plot(
        line,
        [0.9 * (1 + 0.5 / one) for one in line],
        "-",
        color="#555555",
        label="0.9 (1 + 1/(2m))",
    )
    axes[1].axhline(1, color="black", linewidth=1)
    axes[1].set_ylim(0.85, 1.15)
    axes[1].set_ylabel("load of the busiest pod")


def held(study: Study, axes: Sequence[Axes]) -> None:
    """p99 where connections stay open, one node and 100, by load."""
    kinds = {
        "scale-out": "free, older half",
        "costly": "costly, spread",
        "costly scale-out": "costly, older half",
    }
    for at, (kind, title) in zip(axes, kinds.items(), strict=True):
        for scheduler in ("random", "rr", "lc", "sed"):
            of = "rr" if scheduler == "random" else scheduler
            there = [x for x in FEW_LOADS if study.key(nodes=1, load=x, held=kind) in study.cells]
            found = [study.effect(of, nodes=1, load=one, held=kind) for one in there]
            ms = [one.random_ms if scheduler == "random" else one.own_ms for one in found]
            _line(at, scheduler, there, ms)
        at.set_yscale("log")
        _plain(at, [300, 1000, 3000, 10000, 30000], "{:,.0f}")
        at.set_title(title)
        at.xaxis.set_major_locator(FixedLocator(list(FEW_LOADS)))
        at.set_xlabel("load, of what is left")
    axes[0].set_ylabel("p99, ms (mean work 100 ms)")


def beside_kernel(kernel: KernelStudy, axes: Sequence[Axes]) -> None:
    """Each figure of the kernel over the model's; times, and what leaving costs."""
    times_, effects = axes
    shown = [one for one in kernel.beside if one.percentile == "p99"]
    low, high = min(one.model_ms for one in shown), max(one.model_ms for one in shown)
    for one in shown:
        colour, mark, _ = STYLES.get(_style(one.scheduler), ("#999999", "D", ""))
        ends = [[one.kernel_ms - one.ci95[0]], [one.ci95[1] - one.kernel_ms]]
        times_.errorbar([one.model_ms], [one.kernel_ms], ends, fmt=mark, color=colour, elinewidth=1)
    times_.plot([low, high], [low, high], "-", color="#999999", linewidth=1)
    times_.set(xscale="log", yscale="log", xlabel="model: p99, ms", ylabel="kernel: p99, ms")
    for each in kernel.leaving:
        colour, mark, _ = STYLES.get(_style(each.scheduler), ("#999999", "D", ""))
        ends = [[each.kernel - each.ci95[0]], [each.ci95[1] - each.kernel]]
        effects.errorbar([each.model], [each.kernel], ends, fmt=mark, color=colour, elinewidth=1)
    least, most = min(e.model for e in kernel.leaving), max(e.model for e in kernel.leaving)
    effects.plot([least, most], [least, most], "-", color="#999999", linewidth=1)
    effects.set(xlabel="model: leaving makes p99", ylabel="kernel: leaving makes p99")
    _plain(times_, [100, 200, 400, 800], "{:,.0f}")
    times_.xaxis.set_major_locator(FixedLocator([100, 200, 400, 800]))
    times_.xaxis.set_minor_locator(NullLocator())
    times_.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    for scheduler, (colour, mark, _) in STYLES.items():
        times_.plot([], [], mark, color=colour, label=NAMES.get(scheduler, scheduler))
    times_.plot([], [], "D", color="#999999", label="mh")


def _style(scheduler: str) -> str:
    return "random" if scheduler == "iptables" else scheduler


def _keys(points: Sequence[tuple[float, Key]]) -> list[str]:
    return [dict(zip(KEYS, key, strict=True))["pods"] for _, key in points]


def _line(
    at: Axes,
    scheduler: str,
    x: Sequence[float],
    y: Sequence[float],
    ends: Sequence[Sequence[float]] | None = None,
) -> None:
    colour, mark, line = STYLES[scheduler]
    at.errorbar(
        x, y, ends, color=colour, marker=mark, linestyle=line, markersize=5, capsize=2,
        label=NAMES.get(scheduler, scheduler),
    )  # fmt: skip


def _ratio_axis(at: Axes) -> None:
    at.set_yscale("log")
    at.axhline(1, color="black", linewidth=1)
    _plain(at, [0.01, 0.03, 0.1, 0.3, 1, 2, 4], "{:g}x")


def _plain(at: Axes, ticks: Sequence[float], form: str) -> None:
    at.yaxis.set_major_locator(FixedLocator(list(ticks)))
    at.yaxis.set_minor_locator(NullLocator())
    at.yaxis.set_major_formatter(FuncFormatter(lambda x, _: form.format(x)))
