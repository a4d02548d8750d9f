"""Recordings compared by runs: a column of one against the same column of another.

The unit is the run, as within one recording, and the tests and their correction are the same.
Two recordings are two times. What else changed between them, on the machine or around it, is part
of each difference, and no test can tell it apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ipvsload.results.comparison import ComparedRecording
from ipvsload.results.comparison_plan import comparison_plan
from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.pair_tests import Pair, pair_comparisons
from ipvsload.results.recording_pair import ComparedColumns, RecordingPair
from ipvsload.scenario.model import Scenario


def compared_columns(recordings: Sequence[ComparedRecording]) -> ComparedColumns:
    """Each of the others against the first."""
    first, *others = recordings
    paired = all(same_load(first, other) for other in others)
    found = [(other.name, pair) for other in others for pair in _pairs(first, other)]
    named = [(_named(a, first.name), _named(b, other)) for other, (a, b) in found]
    comparisons = pair_comparisons(named, comparison_plan(first.scenario).margin, paired=paired)
    return ComparedColumns(
        first=first.name,
        pairs=tuple(
            RecordingPair(other, a.label, b.label, *names, comparison)
            for (other, (a, b)), names, comparison in zip(found, named, comparisons, strict=True)
        ),
        paired=paired,
        unlike=tuple(one.name for one in others if not _labels(first) & _labels(one)),
    )


def same_load(one: ComparedRecording, other: ComparedRecording) -> bool:
    """Whether the runs of a repeat had the same arrivals, work and clients in both.

    Then they are a pair, as within one recording: what a draw of arrivals does to one of them, it
    does to the other. If nothing else differs, either of the two could be the greater one.
    """
    a, b = one.scenario, other.scenario
    return (
        a is not None
        and b is not None
        and one.results.testbed == other.results.testbed
        and same_arrivals(a, b)
    )


def same_arrivals(a: Scenario, b: Scenario) -> bool:
    """Whether a repeat of both has the same arrivals and work, from the same clients."""
    return (a.seed, a.traffic, a.timeline, a.service.wiring) == (
        b.seed,
        b.traffic,
        b.timeline,
        b.service.wiring,
    )


def _pairs(first: ComparedRecording, other: ComparedRecording) -> Iterator[Pair]:
    """Columns of one name, by the measures that both have, in the first one's order."""
    theirs = {(one.measure, one.label): one for one in other.results.columns}
    alike = bool(_labels(first) & _labels(other))
    for mine in first.results.columns:
        if alike:
            found = theirs.get((mine.measure, mine.label))
            if found is not None:
                yield mine, found
        elif mine.label == first.results.baseline:
            yield from ((mine, one) for one in other.results.columns if one.measure == mine.measure)


def _named(column: MeasuredColumn, recording: str) -> MeasuredColumn:
    return replace(column, label=f"{column.label} in {recording}")


def _labels(one: ComparedRecording) -> set[str]:
    return {column.label for column in one.results.columns}
