"""Curves for report.html: from a run's records to few enough points.

A run may have a million requests and a thousand servers. The page stays small all the same,
and every extreme that was recorded stays in it.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from ipvsload.ipvs.table import growth
from ipvsload.record.events import ClassDone, StepDone, StepStarted
from ipvsload.record.reader import RecordedRun
from ipvsload.results.kernel_counts import readings
from ipvsload.results.sampling import SampleHole, period_us
from ipvsload.statistics.percentiles import percentile

Point = tuple[float, float | None]
"""Seconds since the run's zero, and a value. None interrupts the curve."""
Band = tuple[float, float, float, float]
"""Seconds since the run's zero, and the least, the median and the greatest of some values."""

MAX_BUCKETS = 150
_WIDTHS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 3600.0)


def zero_us(run: RecordedRun) -> int:
    """When the first step began, or the run where there is no step; µs of the record."""
    steps = run.of_type(StepStarted)
    return steps[0].t_us if steps else run.start_us


def end_seconds(run: RecordedRun) -> float:
    """When the last step or request ended, in seconds since the run's zero."""
    marks = [e.t_us for e in run.events if isinstance(e, StepStarted | StepDone | ClassDone)]
    marks += [run.requests.last_end_us]
    if not any(marks):
        marks = [run.end_us]
    return max(0.1, (max(marks) - zero_us(run)) / 1e6)


def connections(
    run: RecordedRun, holes: Sequence[SampleHole]
) -> tuple[dict[str, list[Point]], dict[str, list[Point]]]:
    """ActiveConn and InActConn of each server, by address, with one point for each sample.

    The curves are interrupted in the holes of the samples, which are in the order of time.
    """
    zero = zero_us(run)
    fresh = period_us(run) or 0.0
    active: dict[str, list[Point]] = {}
    inactive: dict[str, list[Point]] = {}
    left = list(reversed(holes))
    for t_us, table in readings(run.samples):
        while left and left[-1].end_us <= t_us:
            # What was seen last is true until the next sample was due.
            over = (left.pop().begin_us + fresh - zero) / 1e6
            for curve in (*active.values(), *inactive.values()):
                if curve[-1][1] is not None:
                    curve.append((max(over, curve[-1][0]), None))
        if left and left[-1].begin_us < t_us:
            continue  # of other nodes: without all of them there is no sum
        t = (t_us - zero) / 1e6
        for address, server in table.items():
            active.setdefault(address, []).append((t, server.active))
            inactive.setdefault(address, []).append((t, server.inactive))
        if len(table) < len(active):
            for address in active.keys() - table.keys():
                active[address].append((t, None))
                inactive[address].append((t, None))
    return active, inactive


def occupancy(run: RecordedRun) -> tuple[dict[str, list[Point]], dict[str, list[Point]]]:
    """Busy workers and waiting requests of each server, by address, as the servers said them."""
    zero = zero_us(run)
    busy: dict[str, list[Point]] = {}
    queued: dict[str, list[Point]] = {}
    for sample in run.occupancy:
        t = (sample.t_us - zero) / 1e6
        for server in sample.servers:
            busy.setdefault(server.address, []).append((t, server.busy))
            queued.setdefault(server.address, []).append((t, server.queued))
        for address in busy.keys() - {server.address for server in sample.servers}:
            busy[address].append((t, None))
            queued[address].append((t, None))
    return busy, queued


def busy_means(run: RecordedRun, width: float) -> dict[str, list[Point]]:
    """Busy workers of each server, by address: means over `width` seconds or a little more.

    They are the growth of the servers' own counts of busy time, so they are exact. A mean stands
    where its time begins.
    """
    zero = zero_us(run)
    means: dict[str, list[Point]] = {}
    begun: dict[str, tuple[int, int]] = {}
    spent: dict[str, tuple[int, int]] = {}
    for sample in run.occupancy:
        for server in sample.servers:
            counted, last = spent.get(server.address, (0, server.busy_us))
            counted += growth(last, server.busy_us)
            spent[server.address] = counted, server.busy_us
            since_us, before = begun.setdefault(server.address, (sample.t_us, counted))
            if sample.t_us - since_us >= width * 1e6:
                mean = (counted - before) / (sample.t_us - since_us)
                means.setdefault(server.address, []).append(((since_us - zero) / 1e6, mean))
                begun[server.address] = sample.t_us, counted
    for address, points in means.items():
        points.append(((begun[address][0] - zero) / 1e6, None))
    return means


def thin(points: Sequence[Point], buckets: int) -> list[Point]:
    """Keep about three points of each bucket: its least, its greatest and its last.

    Where the curve is interrupted in a bucket, that is kept, too.

    Points that repeat the value before them are dropped first: a step curve does not need them.
    """
    level = [
        point
        for i, point in enumerate(points)
        if i in (0, len(points) - 1) or point[1] != points[i - 1][1]
    ]
    if len(level) <= 3 * buckets:
        return level
    first, last = level[0][0], level[-1][0]
    width = (last - first) / buckets or 1.0
    kept: list[Point] = []
    for _, bucket in groupby(level, lambda point: int((point[0] - first) / width)):
        kept += _extremes(list(bucket))
    return kept


def _extremes(bucket: Sequence[Point]) -> list[Point]:
    known = [(value, i) for i, (_, value) in enumerate(bucket) if value is not None]
    if not known:
        return [bucket[-1]]
    kept = {min(known)[1], max(known)[1], len(bucket) - 1}
    broken = next((i for i, (_, value) in enumerate(bucket) if value is None), None)
    if broken is not None:
        kept |= {broken, min(broken + 1, len(bucket) - 1)}
    return [bucket[i] for i in sorted(kept)]


def envelope(points: Iterable[Point], end: float, width: float) -> list[Band]:
    """The values of each `width` seconds together, from 0 to `end` seconds."""
    found: dict[int, list[float]] = {}
    for t, value in points:
        if value is not None and 0 <= t <= end:
            found.setdefault(int(t / width), []).append(value)
    return [
        ((i + 0.5) * width, min(values), percentile(sorted(values), 50), max(values))
        for i, values in sorted(found.items())
    ]


def bucket_width(seconds: float) -> float:
    """A round width in seconds that cuts `seconds` into MAX_BUCKETS parts at most."""
    return next((w for w in _WIDTHS if seconds / w <= MAX_BUCKETS), seconds / MAX_BUCKETS)
