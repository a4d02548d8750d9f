"""Bars that split a class's latency in the time in the servers' queues and the rest.

A bar is a mean over requests, by the median of the repeats, so its parts add up, which
percentiles of the parts would not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ipvsload.report.wording import milliseconds, named
from ipvsload.results.results import SchedulerSummary

_GROUPS = {"all": "all requests, mean", "slowest": "the slowest 5 %, mean"}


@dataclass(frozen=True, slots=True)
class LatencyBar:
    """One scheduler's bar; widths are in percent of the longest bar beside it."""

    label: str
    whole: str
    queue: str
    queue_percent: float
    rest: str
    rest_percent: float


@dataclass(frozen=True, slots=True)
class LatencyBars:
    """The bars of all schedulers for some requests of a class, on one scale."""

    about: str
    bars: tuple[LatencyBar, ...]


def latency_bars(columns: Sequence[SchedulerSummary], traffic: str) -> list[LatencyBars]:
    """The bars of a class; none where no server said how long requests waited."""
    return [bars for group in _GROUPS if (bars := _bars(columns, traffic, group)).bars]


def _bars(columns: Sequence[SchedulerSummary], traffic: str, group: str) -> LatencyBars:
    found = []
    for column in columns:
        of_class = column.traffic.get(traffic)
        parts = of_class.latency_parts_ms.get(group, {}) if of_class else {}
        queue, rest = parts.get("queue"), parts.get("rest")
        if queue and rest:
            found.append((column, queue.median, rest.median))
    longest = max((queue + rest for _, queue, rest in found), default=0.0) or 1.0
    return LatencyBars(
        _GROUPS[group],
        tuple(
            LatencyBar(
                named(column.label, column.settings),
                milliseconds(queue + rest),
                milliseconds(queue),
                round(queue / longest * 100, 3),
                milliseconds(rest),
                round(rest / longest * 100, 3),
            )
            for column, queue, rest in found
        ),
    )
