"""Which servers are shown one by one where there are many, in tables, charts and bars alike.

A few are all shown. Of many, those are shown that differ most from the others, because a
reader looks for them; the first ones would stand for nothing.
"""

import math
import statistics
from collections.abc import Iterator, Sequence

from ipvsload.results.results import SchedulerSummary
from ipvsload.statistics.percentiles import percentile

MOST = 6
"""So many servers are all shown."""
OUTLIERS = 5
"""Of more servers, so many."""


def shown_servers(columns: Sequence[SchedulerSummary]) -> tuple[int, ...]:
    """The numbers of the servers to show, ascending: all, or the OUTLIERS farthest from the rest.

    A server is as far out as the one of its figures that is farthest from the median of all
    servers under the same scheduler. The unit is the range of the middle half of them, or the
    square root of the median where that is more, since a count varies by so much by chance; it is
    at least 1. The figures are its connections, its most active connections, its longest queue, and
    the requests and failures of each class. Of equals the lower number comes first.
    """
    distances: dict[int, float] = {s.number: 0.0 for column in columns for s in column.servers}
    if len(distances) <= MOST:
        return tuple(sorted(distances))
    for column in columns:
        for values in _figures(column):
            for number, distance in _distances(values):
                distances[number] = max(distances[number], distance)
    farthest = sorted(distances, key=lambda number: (-distances[number], number))
    return tuple(sorted(farthest[:OUTLIERS]))


def _figures(column: SchedulerSummary) -> Iterator[dict[int, float]]:
    """Each figure of a column's servers that is known, by the servers' numbers."""
    servers = column.servers
    yield {s.number: s.connections.median for s in servers if s.connections}
    yield {s.number: s.active_max.median for s in servers if s.active_max}
    yield {s.number: s.queue_max.median for s in servers if s.queue_max}
    for name in column.traffic:
        yield {s.number: known.median for s in servers if (known := s.requests.get(name))}
        yield {s.number: known.median for s in servers if (known := s.failures.get(name))}


def _distances(values: dict[int, float]) -> Iterator[tuple[int, float]]:
    if not values:
        return
    ordered = sorted(values.values())
    middle = statistics.median(ordered)
    half = percentile(ordered, 75) - percentile(ordered, 25)
    spread = max(1.0, half, math.sqrt(middle))
    for number, value in values.items():
        yield number, abs(value - middle) / spread
