"""What came of comparing a scheduler with itself, as sentences and rows that reports share."""

from collections.abc import Sequence

from ipvsload.report.measure_words import measure_words
from ipvsload.report.wording import percent, plural
from ipvsload.results.false_alarms import MOST, SelfCheckResult
from ipvsload.results.pair_comparison import Interval

SELF_CHECK_HEADERS = ("measure", "false alarms", "without Holm", "equivalent", "differed")


def self_check_sentences(check: SelfCheckResult) -> list[str]:
    """The share of false alarms with its interval, and what that says."""
    made = f"{plural(check.comparisons, 'comparison')} of {plural(check.blocks, 'block')}"
    if check.share_ci95 is None:
        return [f"{check.label} was to be compared with itself, and no block is whole"]
    share = percent(check.alarms / check.comparisons)
    lines = [
        f"{check.label} against itself, {made}: {plural(check.alarms, 'false alarm')},"
        f" {share} {_interval(check.share_ci95)} of them",
        _meaning(check.share_ci95),
    ]
    if check.left_out:
        lines.append(
            f"{plural(check.left_out, 'block')} of {check.asked * check.blocks} left out, for want"
            " of a run that counts"
        )
    return lines


def self_check_rows(check: SelfCheckResult) -> list[Sequence[str]]:
    """One a measure, under SELF_CHECK_HEADERS: in how many of the comparisons."""
    return [
        (
            measure_words(one.measure),
            *(
                f"{count} of {check.comparisons}"
                for count in (one.alarms, one.uncorrected, one.equivalent, one.tested)
            ),
        )
        for one in check.measures
    ]


def _meaning(share: Interval) -> str:
    low, high = share
    if low > MOST:
        return (
            f"more than the {percent(MOST)} that may be: what is found here is not to be trusted;"
            " take more blocks, and look for what changes from run to run"
        )
    if high <= MOST:
        return f"certainly no more than the {percent(MOST)} that may be"
    return f"no more than the {percent(MOST)} that may be is possible, and so is {percent(high)}"


def _interval(share: Interval) -> str:
    low, high = (percent(end).removesuffix(" %") for end in share)
    return f"[{low}, {high} %]"
