"""How evenly servers were used, and what changes did, as rows that all reports share.

Only what says something is shown: where all columns spread evenly, or each change stood in the
first sample after it, there is nothing to read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ipvsload.report.wording import DASH, milliseconds, over, percent
from ipvsload.results.results import SchedulerSummary, ServerSummary
from ipvsload.results.spread_summary import JoinedSummary
from ipvsload.statistics.median_range import MedianRange

Row = tuple[str, list[str]]

UNEVEN = 0.98
"""Where no Jain's index is below this, all spread evenly."""
OFF_WEIGHT = 0.01
"""A share that is nowhere farther from its weight's than this is as asked for."""
UNLIKE = 1.5
"""Servers whose latencies differ by less than this factor answer alike."""
LIKELIEST = "p95"
"""The percentile by which servers are compared."""


def evenness_rows(columns: Sequence[SchedulerSummary]) -> Iterator[Row]:
    """How far from the weights' shares, and how unevenly loaded over time."""
    found = [column.spread.evenness if column.spread else {} for column in columns]
    if _off_weight(found):
        yield "off a weight's share", [over(one.get("weight_departure"), percent) for one in found]
    for name, what in (("active", "active connections"), ("utilisation", "utilisation")):
        indices = [one.get(f"{name}_jain") for one in found]
        if any(index and index.median < UNEVEN for index in indices):
            yield f"{what}: Jain's index", [over(one, _ratio) for one in indices]
            peaks = (one.get(f"{name}_peak") for one in found)
            yield f"{what}: greatest/mean", [over(one, _ratio) for one in peaks]


def change_rows(columns: Sequence[SchedulerSummary]) -> Iterator[Row]:
    """How long changes took that were not there in the next sample, and servers that came."""
    spreads = [column.spread for column in columns]
    changes = [{one.step: one for one in s.changes} if s else {} for s in spreads]
    for step in sorted({step for found in changes for step in found}):
        mine = [found.get(step) for found in changes]
        text = next(one.text for one in mine if one)
        if any(one and one.seen_late for one in mine):
            times = (one.table_s if one else None for one in mine)
            yield f"{text}: in the table", [over(one, _seconds) for one in times]
    joined = [{one.number: one for one in s.joined} if s else {} for s in spreads]
    for number in sorted({number for found in joined for number in found}):
        mine_joined = [found.get(number) for found in joined]
        yield (
            f"server {number}: first request",
            [over(one.first_request_s if one else None, _seconds) for one in mine_joined],
        )
        if any(one and (one.balanced or one.never) for one in mine_joined):
            yield f"server {number}: has its share", [_balance(one) for one in mine_joined]
    for name in dict.fromkeys(name for column in columns for name in column.traffic):
        lost = [t.lost if (t := column.traffic.get(name)) else None for column in columns]
        if any(one and one.max for one in lost):
            yield f"{name}: lost with a server", [over(one) for one in lost]


def share_row(
    servers: Sequence[ServerSummary | None], columns: Sequence[SchedulerSummary]
) -> Iterator[Row]:
    """A server's share of new connections beside the one that its weight asks for."""
    if _off_weight([column.spread.evenness if column.spread else {} for column in columns]):
        yield "share (by weight)", [_shares(server) for server in servers]


def latency_rows(
    servers: Sequence[ServerSummary | None],
    columns: Sequence[SchedulerSummary],
    classes: Iterable[str],
) -> Iterator[Row]:
    """A server's latency in each class in which servers are unlike."""
    for name in classes:
        if any(_unlike(column, name) for column in columns):
            times = (s.latency_ms.get(name, {}).get(LIKELIEST) if s else None for s in servers)
            yield f"{name} {LIKELIEST}", [over(time, milliseconds) for time in times]


def _off_weight(found: Sequence[Mapping[str, MedianRange | None]]) -> bool:
    departures = (one.get("weight_departure") for one in found)
    return any(one and one.median > OFF_WEIGHT for one in departures)


def _unlike(column: SchedulerSummary, name: str) -> bool:
    times = [
        time.median
        for server in column.servers
        if (time := server.latency_ms.get(name, {}).get(LIKELIEST))
    ]
    return len(times) > 1 and max(times) > UNLIKE * min(times) and max(times) > 1 + min(times)


def _shares(server: ServerSummary | None) -> str:
    if server is None or server.share_of_connections is None or server.weight_share is None:
        return DASH
    share, asked = server.share_of_connections.median, server.weight_share.median
    return f"{percent(share)} ({percent(asked)})"


def _balance(one: JoinedSummary | None) -> str:
    if one is None or not (one.balanced or one.never):
        return DASH
    if not one.balanced:
        return "never"
    some = f" (never in {one.never} of {one.runs})" if one.never else ""
    return over(one.balance_s, _seconds) + some


def _ratio(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}"


def _seconds(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f} s"
