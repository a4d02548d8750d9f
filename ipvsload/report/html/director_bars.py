"""Bars that split each director's connections over the servers, where there are several."""

from collections.abc import Mapping, Sequence

from ipvsload.report.html.share_bars import share_segments
from ipvsload.report.html.split_bars import BarSegment, SplitBar
from ipvsload.report.wording import named
from ipvsload.results.director_splits import DirectorSummary
from ipvsload.results.results import SchedulerSummary


def director_bars(
    summaries: Sequence[SchedulerSummary], colours: Mapping[int, str]
) -> dict[str, list[SplitBar]]:
    """For each scheduler a bar for each of its directors; {} where there is only one.

    A bar is all connections of one director, by the medians of the repeats. `colours` has
    CSS variables by server number; other servers are grey, and where there are many, they share
    one segment.
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
    segments = share_segments(counts, colours)
    return segments, "" if segments else "no connections"
