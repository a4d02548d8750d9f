"""All figures of schedulers side by side, as rows of text.

summary.md and report.html show the same rows, so they are made once, here. The terminal
shows fewer of them: `first_look.py`. Users come first, and then the servers.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap

from ipvsload.report.prediction_rows import prediction_rows
from ipvsload.report.shown_servers import MOST, shown_servers
from ipvsload.report.spread_rows import change_rows, evenness_rows, latency_rows, share_row
from ipvsload.report.wording import DASH, figure, milliseconds, named, over, percent, weights
from ipvsload.results.results import RunResult, SchedulerSummary, ServerSummary, TrafficSummary
from ipvsload.scenario.measures.sent_late import LATENESS
from ipvsload.statistics.median_range import MedianRange, median_range

SHOWN_KINDS = 8
"""Where requests failed in more ways, the last row is of all others."""
LATENCIES = ("p50", "p90", "p95", "p99", "p999", "max")
OF_A_THOUSAND = "p999"
"""Of fewer requests it is the greatest latency, and is not shown."""
QUEUE_TIMES = ("p50", "p95", "p99", "max")


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One row. A row without cells begins a server, with its number, or a class."""

    label: str
    cells: tuple[str, ...] = ()
    remark: str = ""
    server: int | None = None


def column_header(summary: SchedulerSummary) -> str:
    """Name the scheduler with its settings, and say how many runs the figures come from."""
    name = named(summary.label, summary.settings)
    if summary.repeats == 1 and not summary.valid:
        return f"{name} (not valid)"
    told = []
    if summary.valid < summary.repeats:
        told.append(f"{summary.valid} of {summary.repeats} valid")
    elif summary.repeats > 1:
        told.append(f"median of {summary.repeats}")
    if summary.ended_early:
        several = f"{summary.ended_early} " if summary.repeats > 1 else ""
        told.append(f"{several}ended early")
    return f"{name} ({', '.join(told)})" if told else name


def agreed_addresses(runs: Iterable[RunResult]) -> dict[int, str]:
    """Servers' addresses by number. A server that had different ones in two runs has none here."""
    found: dict[int, set[str]] = {}
    for run in runs:
        for number, server in enumerate(run.servers, 1):
            found.setdefault(number, set()).add(server.address)
    return {number: known.pop() for number, known in found.items() if len(known) == 1}


def figure_rows(
    columns: Sequence[SchedulerSummary],
    known: dict[int, str],
    shown: Sequence[int] | None = None,
) -> list[FigureRow]:
    """The rows of all classes, then of servers, with one cell for each column.

    `known` has the servers' addresses by number. `shown` are the servers that get rows of
    their own, by default `shown_servers` of these columns; the others share some.
    """
    classes = list(dict.fromkeys(name for column in columns for name in column.traffic))
    shown = shown_servers(columns) if shown is None else shown
    return [
        *traffic_rows(columns, classes),
        *server_rows(columns, known, shown, classes, details=True),
        *_rest(columns, shown, classes),
        *no_server_rows(columns, classes),
        *spread_over_servers(columns),
        *director_rows(columns),
        *director_time_rows(columns),
        *model_rows(columns),
    ]


def server_rows(
    columns: Sequence[SchedulerSummary],
    known: dict[int, str],
    shown: Sequence[int],
    classes: Sequence[str],
    *,
    details: bool = False,
) -> Iterator[FigureRow]:
    """The rows of each server that is `shown`; `known` has the addresses."""
    by_number = [{server.number: server for server in column.servers} for column in columns]
    for number in shown:
        servers = [found.get(number) for found in by_number]
        yield FigureRow(f"server {number}", remark=known.get(number, ""), server=number)
        if weighted(columns):
            yield _row("weight", (weights(s.weights) if s else DASH for s in servers))
        yield _row("connections", (over(s.connections if s else None) for s in servers))
        if details:
            yield from starmap(_row, share_row(servers, columns))
        if any(s and s.predicted != s.connections for s in servers if s and s.predicted):
            yield _row("predicted", (over(s.predicted if s else None) for s in servers))
        for name in classes:
            yield _row(f"{name} requests", (_requests(s, name) for s in servers))
            if any(s and _some(s.failures.get(name)) for s in servers):
                yield _row("of them failed", (_failures(s, name) for s in servers))
        if details:
            yield from starmap(_row, latency_rows(servers, columns, classes))
        yield _row("active at most", map(_active, servers))
        if any(s and s.busy_max for s in servers):
            yield _row("busy at most", (over(s.busy_max if s else None) for s in servers))
            yield _row("queue at most", (over(s.queue_max if s else None) for s in servers))
            yield _row(
                "utilisation", (over(s.utilisation if s else None, percent) for s in servers)
            )


def weighted(columns: Sequence[SchedulerSummary]) -> bool:
    """Whether a server had another weight than 1 at any time."""
    servers = (server for column in columns for server in column.servers)
    return any(set(course) - {1} for server in servers for course in server.weights)


def _rest(
    columns: Sequence[SchedulerSummary], shown: Sequence[int], classes: Sequence[str]
) -> Iterator[FigureRow]:
    """The range over the servers that have no rows of their own."""
    rest = [[s for s in column.servers if s.number not in shown] for column in columns]
    count = len({server.number for servers in rest for server in servers})
    if not count:
        return
    yield FigureRow(f"{count} more servers", remark="none farther out")
    if weighted(columns):
        yield _row("weight", map(_weight_range, rest))
    yield _row("connections", (spread(s.connections for s in c) for c in rest))
    for name in classes:
        yield _row(f"{name} requests", (spread(s.requests.get(name) for s in c) for c in rest))
        if any(_some(server.failures.get(name)) for servers in rest for server in servers):
            yield _row("of them failed", (spread(s.failures.get(name) for s in c) for c in rest))
    yield _row("active at most", (spread(s.active_max for s in c) for c in rest))
    if any(server.busy_max for servers in rest for server in servers):
        yield _row("busy at most", (spread(s.busy_max for s in c) for c in rest))
        yield _row("queue at most", (spread(s.queue_max for s in c) for c in rest))
        yield _row("utilisation", (spread((s.utilisation for s in c), percent) for c in rest))


def spread_over_servers(columns: Sequence[SchedulerSummary]) -> Iterator[FigureRow]:
    """How evenly the servers were used, and how soon changes had their effect."""
    for title, found in (
        ("how the servers were used", evenness_rows(columns)),
        ("after a change", change_rows(columns)),
    ):
        if rows := [_row(label, cells) for label, cells in found]:
            yield FigureRow(title)
            yield from rows


def director_rows(columns: Sequence[SchedulerSummary]) -> Iterator[FigureRow]:
    """How each of several directors split its own connections over the servers."""
    by_node = [{one.node: one.connections for one in column.directors} for column in columns]
    nodes = list(dict.fromkeys(node for found in by_node for node in found))
    if not nodes:
        return
    servers = {number for found in by_node for split in found.values() for number in split}
    each = len(servers) <= MOST
    remark = f"to servers {' '.join(map(str, sorted(servers)))}" if each else "to a server"
    yield FigureRow("connections of each director", remark=remark)
    for node in nodes:
        splits = [found.get(node, {}).values() for found in by_node]
        if each:
            cells = [" ".join(figure(s.median) if s else DASH for s in split) for split in splits]
        else:
            cells = [spread(split) for split in splits]
        yield _row(node, (cell or DASH for cell in cells))


def director_time_rows(columns: Sequence[SchedulerSummary]) -> Iterator[FigureRow]:
    """How long the directors took over a connection's first packet, where packets say it."""
    if any(column.director_us for column in columns):
        yield FigureRow("through the director", remark="a connection's SYN, from cable to cable")
        for p in ("p50", "p99"):
            found = (column.director_us.get(p) for column in columns)
            yield _row(p, (over(one, _microseconds) for one in found))


def model_rows(columns: Sequence[SchedulerSummary]) -> Iterator[FigureRow]:
    """How many of the kernel's choices are those of the model of its scheduler."""
    rows = [_row(label, cells) for label, cells in prediction_rows(columns)]
    if rows:
        yield FigureRow("the model's choices")
        yield from rows


def no_server_rows(
    columns: Sequence[SchedulerSummary], classes: Sequence[str]
) -> Iterator[FigureRow]:
    """What failed and is in no server's count: with it the parts of a class add up to all of it."""
    rows = []
    for name in classes:
        found = [column.traffic.get(name) for column in columns]
        if any(t and _some(t.failures_without_server) for t in found):
            cells = (
                _part(t.failures_without_server, t.share_without_server) if t else DASH
                for t in found
            )
            rows.append(_row(f"{name} failed", cells))
    if rows:
        yield FigureRow("in no server's count")
        yield from rows


def traffic_rows(
    columns: Sequence[SchedulerSummary],
    classes: Sequence[str],
    latencies: Sequence[str] = LATENCIES,
    queue_times: Sequence[str] = QUEUE_TIMES,
    lateness: Sequence[str] = LATENESS,
) -> Iterator[FigureRow]:
    """What became of each class, with these percentiles."""
    for name in classes:
        found = [column.traffic.get(name) for column in columns]
        yield FigureRow(name)
        yield _row("requests", (over(t.requests if t else None) for t in found))
        if any(t and _some(t.failures) for t in found):
            yield _row("failed", (_part(t.failures, t.failed_share) if t else DASH for t in found))
            yield from _kinds(found)
        if any(t and _some(t.retried) for t in found):
            yield _row("retried", (over(t.retried if t else None) for t in found))
        yield _row("requests/s", (over(t.rps if t else None) for t in found))
        for p in latencies:
            if p == OF_A_THOUSAND and not any(t and _thousand(t) for t in found):
                continue
            cells = (over(t.latency_ms.get(p) if t else None, milliseconds) for t in found)
            yield _row(f"latency {p.replace('p999', 'p99.9')}", cells)
        if any(t and t.queue_ms.get("max") for t in found):
            for p in queue_times:
                cells = (over(t.queue_ms.get(p) if t else None, milliseconds) for t in found)
                yield _row(f"in queue {p}", cells)
        if any(t and t.lateness_ms for t in found):
            for which in lateness:
                cells = (over(t.lateness_ms.get(which) if t else None, milliseconds) for t in found)
                yield _row(f"sent late {which}", cells)


def _kinds(found: Sequence[TrafficSummary | None]) -> Iterator[FigureRow]:
    """How requests failed: a row a kind, the most frequent first, and one for all others."""
    columns = [t.errors if t else None for t in found]
    total: Counter[str] = Counter()
    for errors in filter(None, columns):
        total.update({kind: round(count.median) for kind, count in errors.items() if count})
    kinds = [kind for kind, _ in total.most_common()]
    shown = kinds if len(kinds) <= SHOWN_KINDS else kinds[: SHOWN_KINDS - 1]
    for kind in shown:
        yield _row(f"failed: {kind}", (_kind(errors, kind) for errors in columns))
    if rest := kinds[len(shown) :]:
        yield _row(f"failed: {len(rest)} other kinds", (_kind(e, *rest) for e in columns))


def _kind(errors: Mapping[str, MedianRange | None] | None, *kinds: str) -> str:
    """How often requests failed in one of these ways; a kind that is not there is 0."""
    if errors is None:
        return DASH
    found = [count for kind in kinds if (count := errors.get(kind))]
    return over(found[0]) if len(kinds) == 1 and found else figure(sum(c.median for c in found))


def _microseconds(value: float | None) -> str:
    return milliseconds(None if value is None else value / 1000)


def _row(label: str, cells: Iterable[str]) -> FigureRow:
    return FigureRow(label, tuple(cells))


def _some(count: MedianRange | None) -> bool:
    return count is not None and count.max > 0


def _thousand(traffic: TrafficSummary) -> bool:
    return traffic.requests is not None and traffic.requests.max > 1000


def _requests(server: ServerSummary | None, name: str) -> str:
    if server is None:
        return DASH
    return _part(server.requests.get(name), server.share.get(name))


def _failures(server: ServerSummary | None, name: str) -> str:
    if server is None:
        return DASH
    return _part(server.failures.get(name), server.failed_share.get(name))


def _active(server: ServerSummary | None) -> str:
    """The greatest number of active connections; samples may have seen none of those there were."""
    if server is None:
        return DASH
    text, most = over(server.active_max), server.active_max
    unseen = most is not None and not most.min and _some(server.connections)
    return f"{text} seen" if unseen else text


def _part(count: MedianRange | None, share: MedianRange | None) -> str:
    """A count, and what part of the class it is: "50 (50 %)"."""
    return over(count) + (f" ({percent(share.median)})" if share else "")


def _weight_range(servers: Sequence[ServerSummary]) -> str:
    found = [weight for server in servers for course in server.weights for weight in course]
    return _extremes(min(found), max(found)) if found else DASH


def spread(
    medians: Iterable[MedianRange | None], text: Callable[[float | None], str] = figure
) -> str:
    """The least and the greatest median, such as "9 to 10"."""
    found = median_range([median.median if median else None for median in medians])
    return _extremes(found.min, found.max, text) if found else DASH


def _extremes(least: float, most: float, text: Callable[[float | None], str] = figure) -> str:
    return text(least) if least == most else f"{text(least)} to {text(most)}"
