"""What the load did, for charts: rate and latency of each class of traffic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import add
from typing import NamedTuple

MAX_CLASSES = 16
"""So many classes are shown apart; what comes later is shown as OTHER_CLASSES."""

OTHER_CLASSES = "other classes"
_NAME = 60


class Cell(NamedTuple):
    """So many intervals together: the sums of their figures, and the largest p95.

    `weight` adds the rates of intervals with latencies, `p50` their medians times that.
    Those that begin with `queue` are the same of the time in the servers' queues.
    """

    intervals: float = 1.0
    rate: float = 0.0
    failures: float = 0.0
    weight: float = 0.0
    p50: float = 0.0
    queue_weight: float = 0.0
    queue_p50: float = 0.0
    p95: float = 0.0
    queue_p95: float = 0.0


@dataclass(frozen=True, slots=True)
class TrafficInterval:
    """One class of traffic over one short interval.

    `rate` and `failures` are requests finished, and failed, a second; the
    latencies are None where nothing finished. `split` counts the requests
    finished by the address of the real server ("" where it is not known), `kinds`
    those that failed by kind, such as "refused"; `retried` counts those that were sent
    again on a new connection. `queue_p50_ms` and `queue_p95_ms` are of the time in
    the servers' queues, None where no server says it.
    """

    rate: float
    failures: float
    p50_ms: float | None
    p95_ms: float | None
    split: dict[str, int]
    kinds: Mapping[str, int] = field(default_factory=dict)
    retried: int = 0
    queue_p50_ms: float | None = None
    queue_p95_ms: float | None = None


class Classes:
    """Numbers for class names in the order in which they came, MAX_CLASSES + 1 at most."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: list[str] = []
        for name in names:
            self.number(name)

    def number(self, name: str) -> int:
        """Return the class's number, from 0."""
        name = name[:_NAME]
        if name not in self.names:
            if len(self.names) >= MAX_CLASSES:
                name = OTHER_CLASSES
            if name not in self.names:
                self.names.append(name)
        return self.names.index(name)

    def cells(self, intervals: Mapping[str, TrafficInterval]) -> dict[int, Cell]:
        """Return a cell for each known class; one that is not in `intervals` has sent nothing."""
        found: dict[int, Cell] = {}
        for name, interval in intervals.items():
            number = self.number(name)
            cell = _cell(interval)
            if number in found:
                both = merge(found[number], cell)
                # Percentiles of several classes cannot be combined.
                cell = Cell(rate=both.rate, failures=both.failures)
            found[number] = cell
        return {number: found.get(number, Cell()) for number in range(len(self.names))}


def _cell(interval: TrafficInterval) -> Cell:
    cell = Cell(1.0, interval.rate, interval.failures)
    weight = max(interval.rate, 1e-9)
    if interval.p50_ms is not None and interval.p95_ms is not None:
        cell = cell._replace(weight=weight, p50=interval.p50_ms * weight, p95=interval.p95_ms)
    if interval.queue_p50_ms is not None and interval.queue_p95_ms is not None:
        queue_p50 = interval.queue_p50_ms * weight
        cell = cell._replace(
            queue_weight=weight, queue_p50=queue_p50, queue_p95=interval.queue_p95_ms
        )
    return cell


def merge(one: Cell, other: Cell) -> Cell:
    """Make one cell of two: rates and medians are averaged, the larger 95th percentile is kept."""
    return Cell(*map(add, one[:-2], other[:-2]), *map(max, one[-2:], other[-2:]))


def to_json(cell: Cell) -> str:
    """Write rate, failures, and p50 and p95 of latency and of the time in queues, as JSON."""
    intervals, rate, failures, weight, p50, queue_weight, queue_p50, p95, queue_p95 = cell
    latency = f"{p50 / weight:.4g},{p95:.4g}" if weight else "null,null"
    queue = f"{queue_p50 / queue_weight:.4g},{queue_p95:.4g}" if queue_weight else "null,null"
    return f"{rate / intervals:.1f},{failures / intervals:.1f},{latency},{queue}"
