"""Charts as SVG paths and tick marks, without a library.

A plot is a box of SIZE by SIZE units that the page stretches to whatever width
there is; text stands beside it as HTML and so keeps its size on a phone. All
plots of a run share one time axis and lie under each other.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ipvsload.report.html.chart_series import Point
from ipvsload.report.wording import figure

SIZE = 1000
MAX_TICKS = 4


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high` on 0 to 1, linear or by powers of ten."""

    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value stands, cut to between 0 and 1."""
        if self.log:
            value = max(value, self.low)
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, part))

    def ticks(self) -> list[float]:
        """A few round values on the axis."""
        if self.log:
            decades = round(math.log10(self.high / self.low))
            every = -(-decades // MAX_TICKS)
            return [self.low * 10**i for i in range(0, decades + 1, every)]
        step = _nice((self.high - self.low) / MAX_TICKS)
        return [self.low + i * step for i in range(int((self.high - self.low) / step + 1e-9) + 1)]


def linear(greatest: float) -> Axis:
    """From 0 to a round number that is not less than `greatest`."""
    step = _nice(greatest / MAX_TICKS) if greatest > 0 else 1.0
    return Axis(0.0, max(1.0, math.ceil(greatest / step - 1e-9)) * step)


def logarithmic(least: float, greatest: float) -> Axis:
    """The powers of ten around some positive values."""
    low = 10.0 ** math.floor(math.log10(least) + 1e-9)
    high = 10.0 ** math.ceil(math.log10(greatest) - 1e-9)
    return Axis(low, max(high, low * 10), log=True)


def _nice(step: float) -> float:
    """The least of 1, 2, 5, 10, ... that is not less than a step."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * n for n in (1, 2, 5, 10) if power * n >= step * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class Layer:
    """One path of a plot. `kind` is "line", "band" or "dots", `colour` a CSS variable."""

    name: str
    colour: str
    d: str
    kind: str = "line"
    legend: bool = True


@dataclass(frozen=True, slots=True)
class Plot:
    """One chart: its layers from back to front, its value axis and what it says in words."""

    title: str
    unit: str
    y: Axis
    layers: Sequence[Layer]
    alternative: str
    note: str = ""
    y_ticks: list[tuple[float, str]] = field(default_factory=list)
    """Place from below in percent, and label."""


def step_path(points: Iterable[Point], x: Axis, y: Axis) -> str:
    """A curve that keeps each value until the next."""
    parts: list[str] = []
    pen = False
    for t, value in points:
        at = round(x.place(t) * SIZE)
        if value is None:
            if pen:
                parts.append(f"H{at}")
            pen = False
            continue
        height = round((1 - y.place(value)) * SIZE)
        parts.append(f"H{at}V{height}" if pen else f"M{at} {height}")
        pen = True
    return "".join(parts)


def _place(t: float, value: float, x: Axis, y: Axis) -> str:
    return f"{round(x.place(t) * SIZE)} {round((1 - y.place(value)) * SIZE)}"


def line_path(points: Iterable[tuple[float, float]], x: Axis, y: Axis) -> str:
    """A curve straight from point to point."""
    pairs = [_place(t, value, x, y) for t, value in points]
    return "M" + "L".join(pairs) if pairs else ""


def band_path(points: Sequence[tuple[float, float, float]], x: Axis, y: Axis) -> str:
    """The area between a lower and an upper value: (time, lower, upper)."""
    upper = line_path(((t, high) for t, _, high in points), x, y)
    lower = line_path(((t, low) for t, low, _ in reversed(points)), x, y)
    return f"{upper}L{lower[1:]}Z" if points else ""


def dots_path(points: Iterable[tuple[float, float]], x: Axis, y: Axis) -> str:
    """A dot a point: lines of no length, which round caps make dots in any stretching."""
    return "".join(f"M{_place(t, value, x, y)}h0" for t, value in points)


def labels(axis: Axis, text: Callable[[float], str] = figure) -> list[tuple[float, str]]:
    """An axis's ticks as (place in percent, label)."""
    return [(round(axis.place(tick) * 100, 2), text(tick)) for tick in axis.ticks()]
