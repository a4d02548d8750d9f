"""What comparing recordings finds, as types: pairs of columns, and what else is not the same."""

from dataclasses import dataclass

from ipvsload.results.pair_comparison import MeasuredColumn, PairComparison


@dataclass(frozen=True, slots=True)
class RecordingPair:
    """A column `a` of the first recording and `b` of another one, by one measure.

    Their labels in `comparison` name the recordings, too; here they are the columns' own.
    """

    other: str
    label_a: str
    label_b: str
    a: MeasuredColumn
    b: MeasuredColumn
    comparison: PairComparison


@dataclass(frozen=True, slots=True)
class ComparedColumns:
    """All pairs of one comparison with the recording `first`, which is one family of tests.

    They are `paired` by blocks where all recordings offered the same load. A recording in `unlike`
    has no column of the first one: all of its columns stand against the first one's baseline.
    """

    first: str
    pairs: tuple[RecordingPair, ...]
    paired: bool
    unlike: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordedDifference:
    """One thing that is not the same in all: its name, and what it is in each recording."""

    what: str
    values: tuple[str, ...]
