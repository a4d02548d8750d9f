"""Bars that split a class's requests over the servers, with what failed as parts of its own.

A bar is all requests of the class, by the medians of the repeats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipvsload.report.wording import figure, named, percent, weights
from ipvsload.results.results import SchedulerSummary, ServerSummary
from ipvsload.statistics.median_range import MedianRange

MAX_SEGMENTS = 60


@dataclass(frozen=True, slots=True)
class BarSegment:
    """A part of a bar. `colour` is the name of a CSS variable; `failed` parts are hatched."""

    label: str
    requests: str
    percent: float
    colour: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class SplitBar:
    """One scheduler's bar. Without segments `why` says why there are none.

    `under` are thin bars of what its parts can be held against.
    """

    label: str
    segments: tuple[BarSegment, ...]
    why: str = ""
    under: tuple["SplitBar", ...] = ()


def split_bar(summary: SchedulerSummary, traffic: str, colours: Mapping[int, str]) -> SplitBar:
    """Split the class's requests: each server's part, what failed of it, what failed elsewhere.

    `colours` has CSS variables by server number; other servers are grey. With more than
    MAX_SEGMENTS servers the grey ones share one segment.
    """
    counts = {
        server.number: found.median
        for server in summary.servers
        if (found := server.requests.get(traffic)) is not None
    }
    failed = {server.number: _median(server.failures.get(traffic)) for server in summary.servers}
    of_class = summary.traffic.get(traffic)
    nowhere = _median(of_class.failures_without_server) if of_class else 0.0
    total = sum(counts.values()) + nowhere
    requests = _median(of_class.requests) if of_class else 0.0
    if len(counts) < len(summary.servers) or (requests and not summary.servers):
        share = of_class.failed_share if of_class else None
        words = f"; {percent(share.median)} failed" if share and share.max else ""
        return SplitBar(named(summary.label, summary.settings), (), f"servers not known{words}")
    if not total:
        return SplitBar(named(summary.label, summary.settings), (), "no requests")
    labels = _labels(summary.servers)
    segments: list[BarSegment] = []
    others, others_failed, grey = 0.0, 0.0, 0
    for number, count in counts.items():
        colour = colours.get(number)
        if colour is None and len(counts) > MAX_SEGMENTS:
            others += count
            others_failed += failed[number]
            continue
        if colour is None:
            grey += count > 0
            colour = ("--m0", "--m1")[grey % 2]
        segments += _parts(labels[number], count, failed[number], total, colour)
    if others:
        rest = len(counts) - sum(number in counts for number in colours)
        segments += _parts(f"{rest} others", others, others_failed, total, "--m0")
    if nowhere:
        segments.append(_segment("no server", nowhere, total, "--m0", failed=True))
    return SplitBar(named(summary.label, summary.settings), tuple(segments))


def _labels(servers: Sequence[ServerSummary]) -> dict[int, str]:
    """The servers by number, with their weights where these are not all one."""
    courses = {server.weights for server in servers}
    one = len(courses) == 1 and all(len(course) == 1 for found in courses for course in found)
    return {
        s.number: f"server {s.number}" + ("" if one else f", weight {weights(s.weights)}")
        for s in servers
    }


def _parts(label: str, count: float, failed: float, total: float, colour: str) -> list[BarSegment]:
    parts = [_segment(label, max(0.0, count - failed), total, colour)]
    if failed:
        parts.append(_segment(label, failed, total, colour, failed=True))
    return parts


def _segment(
    label: str, count: float, total: float, colour: str, *, failed: bool = False
) -> BarSegment:
    words = f"{figure(count)} failed" if failed else figure(count)
    return BarSegment(label, words, round(count / total * 100, 3), colour, failed)


def _median(count: MedianRange | None) -> float:
    return count.median if count else 0.0
