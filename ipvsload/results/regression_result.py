"""What came of holding a recording against a kept one, as a part of its results."""

from dataclasses import dataclass

from ipvsload.results.recording_pair import ComparedColumns, RecordedDifference, RecordingPair


@dataclass(frozen=True, slots=True)
class RegressionResult:
    """The kept recording is `a` of each pair, the new one `b`.

    `worse` got worse by more than chance and by more than the margin: these are regressions.
    `within` got worse by more than chance, and by no more than the margin. `differences` has what
    else is not the same, in this order, too. `reason` says why nothing could be compared; "" where
    something was.
    """

    compared: ComparedColumns
    worse: tuple[RecordingPair, ...]
    within: tuple[RecordingPair, ...]
    differences: tuple[RecordedDifference, ...]
    reason: str = ""
