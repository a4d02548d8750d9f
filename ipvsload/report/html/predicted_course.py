"""The course that the model predicts: each server's active connections, had it chosen each time.

A connection counts for the server that the model chooses at that moment, from its SYN to the
first FIN or RST; without packets, to the end of its last request.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate, pairwise

from ipvsload.record.reader import RecordedRun
from ipvsload.record.witness import PacketKind, Witness
from ipvsload.replay.carried_connections import carried_connections
from ipvsload.replay.decision import PredictedChoice
from ipvsload.report.html.chart_series import MAX_BUCKETS, Point, zero_us

Ends = Mapping[tuple[str, int], list[int]]
"""When connections of a client's address and port ended, ascending, in µs of the record."""


def drawn(points: list[Point], end: float) -> list[Point]:
    """The course as a chart can show it, from 0 to `end` seconds.

    Where there are too many changes to see each, it is the mean of each short stretch of time:
    a line through their extremes would fill the chart.
    """
    if len(points) <= 3 * MAX_BUCKETS:
        return points
    width = end / MAX_BUCKETS
    sums = [0.0] * MAX_BUCKETS
    for (begin, value), (until, _) in pairwise([*points, (end, 0.0)]):
        t, until = max(0.0, begin), min(until, end)
        while value and t < until:
            bucket = min(int(t / width), MAX_BUCKETS - 1)
            upto = until if bucket == MAX_BUCKETS - 1 else min(until, (bucket + 1) * width)
            sums[bucket] += value * (upto - t)
            t = max(upto, t + width * 1e-9)
    return [(bucket * width, total / width) for bucket, total in enumerate(sums)] + [(end, None)]


def predicted_active(
    run: RecordedRun, found: Iterable[PredictedChoice], witness: Witness | None
) -> dict[str, list[Point]]:
    """Active connections by server and time, with a point for each change.

    Connections whose end nobody knows are left out.
    """
    ends = _of_packets(witness) if witness else _of_requests(run)
    changes: dict[str, list[tuple[int, int]]] = {}
    for one in found:
        mine = ends.get((one.client, one.port), [])
        place = bisect_right(mine, one.t_us)
        if one.predicted is not None and place < len(mine):
            changes.setdefault(one.predicted, []).extend(((one.t_us, 1), (mine[place], -1)))
    zero = zero_us(run)
    return {address: _course(mine, zero) for address, mine in changes.items()}


def _course(changes: list[tuple[int, int]], zero: int) -> list[Point]:
    changes.sort()
    counts = accumulate(more for _, more in changes)
    points = [
        ((t_us - zero) / 1e6, count) for (t_us, _), count in zip(changes, counts, strict=True)
    ]
    return [(points[0][0], 0), *points]


def _of_packets(witness: Witness) -> Ends:
    ends: dict[tuple[str, int], list[int]] = {}
    for packet in witness.packets:
        if packet.kind >= PacketKind.CLIENT_FIN:
            ends.setdefault((packet.client, packet.port), []).append(packet.t_ns // 1000)
    return ends


def _of_requests(run: RecordedRun) -> Ends:
    ends: dict[tuple[str, int], list[int]] = {}
    for first, last in carried_connections(run.requests):
        end = last.planned_us + last.latency_us
        ends.setdefault((first.client, first.port), []).append(end)
    return ends
