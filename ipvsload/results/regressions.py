"""Whether a new recording is worse than a kept one, by the statistics of `ipvsload compare`.

A measure under test of a column got worse if two things are so. The difference is shown: its
p-value is below 0.05 after Holm's correction for all columns and measures. And the estimate of the
difference is more than the scenario's margin, which says what does not matter: with many repeats
every difference can be shown, however small. An estimate and not its interval's end is held against
the margin: to show that a difference is more than the margin takes many more runs, and would let
through what is most probably too much.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ipvsload.errors import UsageError
from ipvsload.record.reader import Recording
from ipvsload.results.kept_recording import KeptRecording
from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.pair_tests import LEVEL, pair_comparisons
from ipvsload.results.recorded_scenario import recorded_scenario, recorded_self_check
from ipvsload.results.recording_differences import differing
from ipvsload.results.recording_pair import ComparedColumns, RecordingPair
from ipvsload.results.regression_result import RegressionResult
from ipvsload.results.results import Results
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.variant import Variant
from ipvsload.scenario.words import counted, listed
from ipvsload.statistics.blocks_needed import least_blocks, least_runs

_AGAIN = "record the scenario as it is now, and keep that"
_USUAL = 10
"""Repeats that are asked for where fewer would do."""


def held_against(
    results: Results, kept: KeptRecording, facts: Mapping[str, str], margin: float
) -> Results:
    """The results with what came of the comparison, and the verdict that follows.

    `facts` are the new recording's. A verdict that is failed or invalid stays.
    """
    found = regressions(results.columns, kept, facts, margin)
    verdict = results.verdict
    if verdict == "held":
        verdict = "failed" if found.worse else "invalid" if found.reason else "held"
    return replace(results, regression=found, verdict=verdict)


def regressions(
    columns: Sequence[MeasuredColumn],
    kept: KeptRecording,
    facts: Mapping[str, str],
    margin: float,
) -> RegressionResult:
    """Each column against the kept one of its name and measure."""
    theirs = {(one.measure, one.label): one for one in kept.columns}
    found = [
        (theirs[one.measure, one.label], one)
        for one in columns
        if (one.measure, one.label) in theirs
    ]
    named = [(replace(a, label=f"{a.label} in {kept.name}"), b) for a, b in found]
    pairs = tuple(
        RecordingPair("the new one", a.label, b.label, a, b, comparison)
        for (a, b), comparison in zip(
            found, pair_comparisons(named, margin, paired=kept.paired), strict=True
        )
    )
    shown = [one for one in pairs if got_worse(one)]
    return RegressionResult(
        ComparedColumns(kept.name, pairs, kept.paired, ()),
        worse=tuple(one for one in shown if _matters(one)),
        within=tuple(one for one in shown if not _matters(one)),
        differences=differing(kept.facts, facts),
        reason=""
        if any(one.comparison.difference is not None for one in pairs)
        else "no column and measure has runs that count in both",
    )


def got_worse(pair: RecordingPair) -> bool:
    """Whether it is shown that the second one is worse. Where no way is the good one, it is not."""
    verdict, better = pair.comparison.verdict, pair.b.better
    return better is not None and verdict in ("less", "greater") and verdict != better


def _matters(pair: RecordingPair) -> bool:
    """Whether it is more than the margin, which is a part of the kept median."""
    of = pair.comparison
    return abs(of.difference or 0.0) > of.margin * abs(of.median[0] or 0.0)


def refuse_other_experiment(
    name: str, kept: Recording, plan: Scenario, wanted: Sequence[Variant], testbed: str
) -> Scenario:
    """The kept recording's scenario. Raises UsageError where it was another experiment.

    `name` is what the user calls it; `wanted` are to be played on a testbed of this name.
    """
    theirs = recorded_scenario(kept)
    if theirs is None:
        raise UsageError(
            f"{name}: its scenario.yaml is missing or not valid, so nobody knows what was played;"
            f" {_AGAIN}"
        )
    for why in _unlike(theirs, kept, plan, wanted, testbed):
        raise UsageError(f"{name}: {why}")
    return theirs


def _unlike(
    theirs: Scenario, kept: Recording, plan: Scenario, wanted: Sequence[Variant], testbed: str
) -> Iterator[str]:
    """Why it was another experiment. The first one is told: others may follow of it."""
    if recorded_self_check(kept):
        yield f"a scheduler was compared with itself there (--self-check); {_AGAIN}"
    if kept.header.testbed != testbed:
        yield (
            f"it was recorded on the testbed {kept.header.testbed}, and this is {testbed}: figures"
            f" of two testbeds do not compare; {_AGAIN}"
        )
    parts = ("service", "traffic", "timeline")
    if other := [part for part in parts if getattr(theirs, part) != getattr(plan, part)]:
        is_not = "is not" if len(other) == 1 else "are not"
        yield f"its {listed(other)} {is_not} as in this scenario, so loads differ; {_AGAIN}"
    there = {one.label: one for one in theirs.schedulers}
    for one in wanted:
        if there.get(one.label, one) != one:
            yield f"{one.label} is set in another way there; {_AGAIN}"


def refuse_too_few(
    name: str,
    columns: Sequence[MeasuredColumn],
    wanted: Sequence[str],
    blocks: int,
    *,
    paired: bool,
) -> None:
    """Raise UsageError where a comparison with these columns of the kept one could show nothing.

    The new recording has those of the labels `wanted`, with so many blocks.
    """
    if not (common := [one for one in columns if one.label in wanted and one.blocks]):
        has = listed(dict.fromkeys(one.label for one in columns if one.blocks)) or "no runs"
        raise UsageError(
            f"{name}: of what counts it has {has}, and nothing of {listed(wanted)}; {_AGAIN}"
        )
    enough = (least_blocks if paired else least_runs)(LEVEL / len(common))
    advice = f"it takes {enough}, and 10 and more are better"
    if enough > _USUAL:
        advice = f"it takes {enough}"
    few = f"cannot show in {counted(len(common), 'comparison')} that anything is more than chance"
    kept = max(len(one.blocks) for one in common)
    if kept < enough:
        raise UsageError(
            f"{name}: its {counted(kept, 'repeat')} {few}: {advice}. Record it again with"
            f" --repeats {max(enough, _USUAL)}, and keep that"
        )
    if blocks < enough:
        raise UsageError(
            f"{name}: {counted(blocks, 'repeat')} of the new recording {few}: {advice}. Give"
            f" --repeats {max(enough, _USUAL)}"
        )
