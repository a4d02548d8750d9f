"""Bars that split each director's connections over the servers, where there are several."""

from collections.abc import Mapping, Sequence

from ipvsload.report.html.split_bars import MAX_SEGMENTS, BarSegment, SplitBar
from ipvsload.report.wording import figure, named
from ipvsload.results.director_splits import DirectorSummary
from ipvsload.results.results import SchedulerSummary


def director_bars(
    summaries: Sequence[SchedulerSummary], colours: Mapping[int, str]
) -> dict[str, list[SplitBar]]:
    """For each scheduler a bar for each of its directors; {} where there is only one.

    A bar is all connections of one director, by the medians of the repeats. `colours` has
    CSS variables by server number; other servers are grey, and where there are more than
    MAX_SEGMENTS, they share one segment.
    """
    return {
        named(summary.label, summary.settings): [
            SplitBar(one.node, *_split(one, colours)) for one in summary.directors
        ]
        for summary in summaries
        if summary.directors
    }


def _split(
    director: DirectorSummary, colours: Mapping[int, str]
) -> tuple[tuple[BarSegment, ...], str]:
    counts = {number: count.median for number, count in director.connections.items() if count}
    total = sum(counts.values())
    if not total:
        return (), "no connections"
    single = counts.keys() & colours.keys() if len(counts) > MAX_SEGMENTS else counts.keys()
    parts = [
        (f"server {number}", counts[number], colours.get(number, ("--m0", "--m1")[number % 2]))
        for number in sorted(single)
    ]
    if rest := counts.keys() - single:
        parts.append((f"{len(rest)} others", sum(counts[number] for number in rest), "--m0"))
    return tuple(
        BarSegment(label, figure(count), round(count / total * 100, 3), colour)
        for label, count, colour in parts
    ), ""
