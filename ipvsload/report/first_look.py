"""The rows of the terminal's table: what a first look needs, and all of it on a screen or two.

Who waited how long and what failed comes first, then what the servers had to do. Two servers get
rows of their own. Of more, each figure is one row with a value for each server; of many, their
range. All percentiles and each server's figures are in report.html and summary.md.
"""

from collections.abc import Callable, Iterator, Sequence

from ipvsload.report.figure_rows import (
    FigureRow,
    director_rows,
    model_rows,
    no_server_rows,
    server_rows,
    spread,
    traffic_rows,
    weighted,
)
from ipvsload.report.shown_servers import MOST, shown_servers
from ipvsload.report.wording import DASH, figure, percent, weights
from ipvsload.results.results import SchedulerSummary, ServerSummary
from ipvsload.statistics.median_range import MedianRange

OWN_ROWS = 2
"""So many servers have rows of their own."""

_Value = Callable[[ServerSummary], MedianRange | None]
_Text = Callable[[float | None], str]


def first_look(columns: Sequence[SchedulerSummary], known: dict[int, str]) -> list[FigureRow]:
    """The rows, with one cell for each column. `known` has the servers' addresses by number."""
    classes = list(dict.fromkeys(name for column in columns for name in column.traffic))
    numbers = sorted({server.number for column in columns for server in column.servers})
    few = len(numbers) <= OWN_ROWS
    return [
        *traffic_rows(columns, classes, ("p50", "p95", "p99"), ("p95",), ()),
        *(
            server_rows(columns, known, numbers, classes)
            if few
            else _in_a_row(columns, numbers, classes)
        ),
        *no_server_rows(columns, classes),
        *director_rows(columns),
        *model_rows(columns),
    ]


def _in_a_row(
    columns: Sequence[SchedulerSummary], numbers: Sequence[int], classes: Sequence[str]
) -> Iterator[FigureRow]:
    """One row a figure: "212 213 213 213" for servers 1 2 3 4, or "9 to 213" of many."""
    if len(numbers) <= MOST:
        yield FigureRow(f"servers {' '.join(map(str, numbers))}")
    else:
        out = ", ".join(map(str, shown_servers(columns)))
        yield FigureRow(f"{len(numbers)} servers", remark=f"least to most; farthest out: {out}")
    if weighted(columns):
        yield FigureRow("weight", tuple(_weights(c, numbers) for c in columns))
    for label, value, text in _figures(classes):
        found = [value(server) for column in columns for server in column.servers]
        if label == "predicted" and not any(_surprised(column) for column in columns):
            continue
        # Connections and requests that are none say something; queues that nobody has do not.
        if any(one and (one.max or label in _ALWAYS) for one in found):
            yield FigureRow(label, tuple(_cell(c, numbers, value, text) for c in columns))


def _surprised(column: SchedulerSummary) -> bool:
    """Whether the model alone would have given a server other connections than it had."""
    return any(one.predicted and one.predicted != one.connections for one in column.servers)


_ALWAYS = ("connections", "active at most")


def _figures(classes: Sequence[str]) -> Iterator[tuple[str, _Value, _Text]]:
    yield "connections", lambda server: server.connections, figure
    yield "predicted", lambda server: server.predicted, figure
    for name in classes:
        yield f"{name} requests", _share(name), percent
        yield f"{name} failed", _failures(name), figure
    yield "active at most", lambda server: server.active_max, figure
    yield "queue at most", lambda server: server.queue_max, figure
    yield "utilisation", lambda server: server.utilisation, percent


def _share(name: str) -> _Value:
    return lambda server: server.share.get(name)


def _failures(name: str) -> _Value:
    return lambda server: server.failures.get(name)


def _cell(column: SchedulerSummary, numbers: Sequence[int], value: _Value, text: _Text) -> str:
    if len(numbers) > MOST:
        return spread((value(server) for server in column.servers), text)
    by_number = {server.number: value(server) for server in column.servers}
    told = [text(one.median) if (one := by_number.get(n)) else DASH for n in numbers]
    if set(told) == {DASH}:
        return DASH
    # The unit stands once, behind the last one.
    unit = "%" if any(one.endswith("%") for one in told) else ""
    return " ".join(one.removesuffix("%").strip() for one in told) + (f" {unit}" if unit else "")


def _weights(column: SchedulerSummary, numbers: Sequence[int]) -> str:
    by_number = {server.number: weights(server.weights) for server in column.servers}
    if len(numbers) > MOST:
        return "; ".join(dict.fromkeys(by_number.values()))
    return "; ".join(by_number.get(n, DASH) for n in numbers)
