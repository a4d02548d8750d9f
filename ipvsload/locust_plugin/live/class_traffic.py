"""The load's side of a chart: rate and latency of each class of traffic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MOST = 16
"""So many classes are told apart; what comes later is REST."""

REST = "other classes"
_NAME = 60

Cell = tuple[float, float, float, float, float, float]
"""Intervals, their rates and failures added; requests with a p50, p50 times those; p95."""


@dataclass(frozen=True, slots=True)
class TrafficInterval:
    """One class of traffic over one short interval.

    `rate` and `failures` are requests finished, and failed, a second; the
    latencies are None where nothing finished. `split` counts the requests
    finished by the address of the real server ("" where it is not known).
    """

    rate: float
    failures: float
    p50_ms: float | None
    p95_ms: float | None
    split: dict[str, int]


class Classes:
    """Numbers for class names, in the order of their coming; no more than MOST and REST."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: list[str] = []
        for name in names:
            self.number(name)

    def number(self, name: str) -> int:
        """The class's number, from 0."""
        name = name[:_NAME]
        if name not in self.names:
            if len(self.names) >= MOST:
                name = REST
            if name not in self.names:
                self.names.append(name)
        return self.names.index(name)

    def cells(self, intervals: Mapping[str, TrafficInterval]) -> dict[int, Cell]:
        """A cell for each known class: one of which nothing was said has sent nothing."""
        found: dict[int, Cell] = {}
        for name, interval in intervals.items():
            number = self.number(name)
            cell = _cell(interval)
            if number in found:
                _, rate, failures, *_ = merge(found[number], cell)
                # Percentiles of classes that are thrown together say nothing.
                cell = (1.0, rate, failures, 0.0, 0.0, 0.0)
            found[number] = cell
        return {number: found.get(number, _IDLE) for number in range(len(self.names))}


_IDLE: Cell = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _cell(interval: TrafficInterval) -> Cell:
    if interval.p50_ms is None or interval.p95_ms is None:
        return (1.0, interval.rate, interval.failures, 0.0, 0.0, 0.0)
    weight = max(interval.rate, 1e-9)
    return (
        1.0, interval.rate, interval.failures, weight, interval.p50_ms * weight, interval.p95_ms,
    )  # fmt: skip


def merge(one: Cell, other: Cell) -> Cell:
    """Both together: rates and medians are averaged, of the 95th percentiles the worst is kept."""
    return (
        one[0] + other[0],
        one[1] + other[1],
        one[2] + other[2],
        one[3] + other[3],
        one[4] + other[4],
        max(one[5], other[5]),
    )


def show(cell: Cell) -> str:
    """Rate, failures, p50 and p95 as JSON."""
    intervals, rate, failures, weight, p50, p95 = cell
    latency = f"{p50 / weight:.4g},{p95:.4g}" if weight else "null,null"
    return f"{rate / intervals:.1f},{failures / intervals:.1f},{latency}"
