"""What came of holding a recording against a kept one, in words: the same in every report."""

from collections.abc import Iterator

from ipvsload.report.measure_words import measure_words, part_words
from ipvsload.report.recording_pair_words import method_words, sentences, warnings
from ipvsload.report.wording import plural
from ipvsload.results.recording_differences import OF_MACHINE
from ipvsload.results.recording_pair import RecordingPair
from ipvsload.results.regression_result import RegressionResult


def regression_head(found: RegressionResult) -> str:
    """In one sentence: "worse than in runs/kept: 1 of 8 comparisons"."""
    kept = found.compared.first
    if found.reason:
        return f"nothing can be held against {kept}: {found.reason}"
    of = plural(len(found.compared.pairs), "comparison")
    if found.worse:
        return f"worse than in {kept}: {len(found.worse)} of {of}"
    return f"worse than in {kept}, as far as can be told: none of {of}"


def regression_sentences(found: RegressionResult) -> Iterator[str]:
    """What is shown of each column, and what does not matter of it; how it was found comes last."""
    yield from sentences(found.compared)
    for pair in found.within:
        yield (
            f"{of_column(pair)}: worse by no more than the margin of"
            f" {part_words(pair.comparison.margin)}, so no regression"
        )
    if found.compared.pairs:
        yield method_words(found.compared)


def regression_warnings(found: RegressionResult) -> Iterator[str]:
    """What else may be the reason of a difference."""
    if any(one.what in OF_MACHINE for one in found.differences):
        yield (
            f"{found.compared.first} was recorded on another machine: a difference may be the"
            " machine's, and no test can tell it apart"
        )
    for one in found.differences:
        then, now = one.values
        yield f"{one.what} was {then}, and is {now}"
    yield from warnings(found.compared)


def of_column(pair: RecordingPair) -> str:
    """What a pair is about: "lc short p95"."""
    return f"{pair.label_b} {measure_words(pair.comparison.measure)}"
