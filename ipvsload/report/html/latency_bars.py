"""Bars that split a class's latency in parts: sent late, in the server's queue, and the rest.

A bar is a mean over requests, by the median of the repeats, so its parts add up, which
percentiles of the parts would not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ipvsload.report.wording import milliseconds, named
from ipvsload.results.queue_times import PARTS
from ipvsload.results.results import SchedulerSummary

LATE = "late"
_GROUPS = {"all": "all requests, mean", "slowest": "the slowest 5 %, mean"}
_WORDS = {LATE: "sent late", "queue": "in queue", "rest": "service and network"}
_SEEN = 0.5
"""A bar without so many percent of lateness needs no word for it."""


@dataclass(frozen=True, slots=True)
class LatencyPart:
    """A part of a bar; `percent` is of the longest bar beside it."""

    kind: str
    text: str
    percent: float


@dataclass(frozen=True, slots=True)
class LatencyBar:
    """One scheduler's bar."""

    label: str
    whole: str
    queue: str
    parts: tuple[LatencyPart, ...]

    @property
    def late(self) -> bool:
        """Whether the generator's lateness can be seen in it."""
        return any(part.kind == LATE and part.percent >= _SEEN for part in self.parts)


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
        medians = of_class.latency_parts_ms.get(group, {}) if of_class else {}
        known = {part: over.median for part in PARTS if (over := medians.get(part))}
        if known:
            found.append((column, known))
    longest = max((sum(parts.values()) for _, parts in found), default=0.0) or 1.0
    return LatencyBars(
        _GROUPS[group],
        tuple(
            LatencyBar(
                named(column.label, column.settings),
                milliseconds(sum(parts.values())),
                milliseconds(parts["queue"]),
                tuple(
                    LatencyPart(kind, f"{_WORDS[kind]}: {milliseconds(ms)}", _part(ms, longest))
                    for kind, ms in parts.items()
                ),
            )
            for column, parts in found
        ),
    )


def _part(ms: float, longest: float) -> float:
    return round(max(0.0, ms) / longest * 100, 3)
