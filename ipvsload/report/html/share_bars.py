"""Bars that a split is held against: the servers' weights, and the model's choices."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ipvsload.report.html.split_bars import MAX_SEGMENTS, BarSegment, SplitBar
from ipvsload.report.wording import figure, named
from ipvsload.results.results import SchedulerSummary


def share_segments(
    counts: Mapping[int, float], colours: Mapping[int, str]
) -> tuple[BarSegment, ...]:
    """Each server's part of all, by its number; () where all is nothing.

    `colours` has CSS variables by number; other servers are grey, and of more than MAX_SEGMENTS
    they share one segment.
    """
    total = sum(counts.values())
    if not total:
        return ()
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
    )


def weight_bars(summary: SchedulerSummary, colours: Mapping[int, str]) -> tuple[SplitBar, ...]:
    """The servers' parts of all weight; of weights that changed, of the first and of the last.

    () where they are not known, or did not change alike in all runs.
    """
    courses = {s.number: s.weights[0] for s in summary.servers if len(s.weights) == 1}
    if len(courses) < len(summary.servers) or not all(courses.values()):
        return ()
    first = share_segments({number: course[0] for number, course in courses.items()}, colours)
    last = share_segments({number: course[-1] for number, course in courses.items()}, colours)
    named_bars = (
        [("by weight", first)]
        if first == last
        else [("first weights", first), ("last weights", last)]
    )
    return tuple(SplitBar(name, segments) for name, segments in named_bars if segments)


def common_weight_bars(
    summaries: Sequence[SchedulerSummary], colours: Mapping[int, str]
) -> tuple[SplitBar, ...]:
    """The bars of weights that all columns have; () where they differ."""
    found = [weight_bars(summary, colours) for summary in summaries]
    return found[0] if found and all(bars == found[0] for bars in found) else ()


def with_weights(
    bars: Sequence[SplitBar], summaries: Sequence[SchedulerSummary], colours: Mapping[int, str]
) -> list[SplitBar]:
    """A class's bars, each over its column's weights where these are not alike in all columns."""
    if common_weight_bars(summaries, colours):
        return list(bars)
    return [
        replace(bar, under=(*bar.under, *weight_bars(summary, colours))) if bar.segments else bar
        for bar, summary in zip(bars, summaries, strict=True)
    ]


def connection_bars(
    summaries: Sequence[SchedulerSummary], colours: Mapping[int, str]
) -> list[SplitBar]:
    """All connections of each column as the balancer counted them, over the model's choices.

    [] where the model chose for no column, or was itself the balancer in all.
    """
    bars = []
    for summary in summaries:
        counts = {s.number: s.connections.median for s in summary.servers if s.connections}
        model = {s.number: s.predicted.median for s in summary.servers if s.predicted}
        segments = share_segments(counts, colours)
        mine = summary.prediction is None or not summary.prediction.trivial
        under = (SplitBar("the model", share_segments(model, colours)),) if mine else ()
        why = "" if segments else "no connections known"
        shown = tuple(bar for bar in under if bar.segments)
        bars.append(SplitBar(named(summary.label, summary.settings), segments, why, shown))
    return bars if any(one.segments for bar in bars for one in bar.under) else []
