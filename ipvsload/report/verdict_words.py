"""The answer in words: a sentence a class of traffic, which columns to take and how sure that is.

Which are the best is found in results/class_standings.py; pairs have their words in
`pair_words.py`. A column whose requests fail more is never named without that.
"""

from collections.abc import Sequence

from ipvsload.report.measure_words import amount, figure_words, p_words, part_words
from ipvsload.report.pair_words import (
    is_alike,
    is_equivalent,
    needed_words,
    pair_sentence,
    than_words,
)
from ipvsload.report.wording import plural
from ipvsload.results.class_standings import FAILED, ClassStanding, MeasuredPair, class_standings
from ipvsload.results.pair_comparison import MeasuredColumn, PairComparison
from ipvsload.results.pair_tests import LEVEL
from ipvsload.results.results import Results
from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.words import listed
from ipvsload.statistics.blocks_needed import least_blocks

__all__ = ["class_sentences", "pair_sentence"]

ENOUGH = 10
"""Blocks that are advised where there are too few."""
MOST_NAMED = 6
_ALL = {1: "it", 2: "both", 3: "all three", 4: "all four", 5: "all five", 6: "all six"}


def class_sentences(results: Results) -> tuple[str, ...]:
    """One for each class, and one more where too few blocks were run for anything to count."""
    standings = class_standings(results)
    told = [f"{one.name or 'all requests'}: {_sentence(one, results)}" for one in standings]
    return (*told, *_too_few(results))


def _sentence(of: ClassStanding, results: Results) -> str:
    measured, best = of.measured, of.best
    pairs = [one for one in results.comparison if one.measure == of.measure]
    blocks = max((one.n[0] for one in pairs), default=0)
    figure = figure_words(of.measure)
    if not measured:
        return f"nothing can be said: no run that counts has a {figure}"
    lacking = [one.label for one in of.columns if not one.blocks]
    without = f"; {listed(lacking)}: no run that counts has a {figure}" if lacking else ""
    if len(measured) == 1:
        (alone,) = measured
        told = f"{figure} {_with_interval(alone)} under {alone.label}, in {_runs(alone)}"
        return f"{told}, and nothing to compare it with: run two schedulers or more{without}"
    if _too_few(results):
        told = f"nothing is shown yet ({_figures(of, measured)}, {plural(blocks, 'block')})"
        return f"{told}{_failing(of, best)}{without}"
    if len(best) == len(measured):
        return f"{_undecided(of, best, blocks)}{_failing(of, best)}{without}"
    return f"{_advice(of, best, _reference(of, results), blocks)}{_failing(of, best)}{without}"


def _reference(of: ClassStanding, results: Results) -> str:
    """The label that the others are set against: the baseline, where it has a value."""
    labels = [one.label for one in of.measured]
    return results.baseline if results.baseline in labels else labels[0]


def _undecided(of: ClassStanding, best: Sequence[str], blocks: int) -> str:
    """None is shown to be better than another one."""
    figures = f"{_figures(of, of.measured)}, {plural(blocks, 'block')}"
    if _all_equivalent(of, best):
        margin = part_words(_comparisons(of, best)[0].margin)
        if len(best) == 2:
            return (
                f"{listed(best)} are equivalent within {margin} ({figures}): by that, take either"
            )
        return (
            f"{_named(best)} are equivalent within {margin} ({figures}): by that, take any of them"
        )
    if all(map(is_alike, _comparisons(of, best))):
        same = f"{_named(best)} were the same in all {plural(blocks, 'block')}"
        return f"{same} ({_figures(of, of.measured)}), too few to show that they are equivalent"
    return f"no difference is shown between {_named(best)} ({figures}){_more(of, best)}"


def _advice(of: ClassStanding, best: Sequence[str], reference: str, blocks: int) -> str:
    """Which to take, how far they are from the reference, and what is not decided."""
    if reference in best:
        worse = [one.label for one in of.measured if of.beats(reference, one.label)]
        others = [one.label for one in of.measured if one.label not in (*best, *worse)]
        told = [_against(of, worse, reference, blocks)] if worse else []
        told += [_beaten(of, one, best, blocks) for one in others[:MOST_NAMED]]
        return f"take {_named(best, 'or')}: {'; '.join(told)}{_among(of, best, _named(best))}"
    better = [one for one in best if of.beats(one, reference)]
    others = [one for one in best if one not in better]
    who = "" if others else _ALL.get(len(better), "all of them")
    told = [_against(of, better, reference, blocks, who)] if better else []
    if not better:
        told = [_beaten(of, reference, best, blocks)]
    for one in others[:MOST_NAMED]:
        pair = of.pair(one, reference)
        if pair and pair.within_margin:
            words = f"equivalent within {part_words(pair.comparison.margin)}"
            told.append(f"{one} and {reference} are {words}")
        else:
            told.append(f"no difference is shown between {one} and {reference}")
    # What is shown to be better than the reference is named first.
    return f"take {_named([*better, *others], 'or')}: {'; '.join(told)}{_among(of, best)}"


def _against(
    of: ClassStanding, labels: Sequence[str], reference: str, blocks: int, who: str = ""
) -> str:
    """How far some are from the reference, all to one side: "both are quicker than rr by 40 %"."""
    found = [pair for one in labels if (pair := of.pair(one, reference)) is not None]
    base = next(one for one in of.measured if one.label == reference)
    columns = [one for one in of.measured if one.label in labels]
    less = found[0].shown < 0
    than = than_words(base, less=less, many=len(labels) > 1)
    by = _by(found, base)
    medians = f"{_range(columns)} against {amount(base.median, base.unit)}"
    sure = _sure([one.comparison for one in found])
    figures = f"{figure_words(of.measure)} {medians}, {sure}, {plural(blocks, 'block')}"
    return f"{who or _named(labels)} {than} {reference}{by} ({figures})"


def _by(found: Sequence[MeasuredPair], base: MeasuredColumn) -> str:
    """By how much, as a part of the reference's median: "40 % [32, 47]"; "" where that is 0."""
    if not base.median:
        return ""
    parts = [abs(one.comparison.difference or 0) / base.median for one in found]
    if len(found) > 1:
        low, high = part_words(min(parts)), part_words(max(parts))
        return f" by {low}" if low == high else f" by {low.removesuffix(' %')} to {high}"
    ends = sorted(abs(end) / base.median * 100 for end in found[0].comparison.difference_ci95 or ())
    interval = f" [{', '.join(f'{end:.2g}' if end < 9.5 else f'{end:.0f}' for end in ends)}]"
    return f" by {part_words(parts[0])}{interval if ends else ''}"


def _beaten(of: ClassStanding, label: str, best: Sequence[str], blocks: int) -> str:
    """One that the reference does not beat, but another one does."""
    by = next((one for one in best if of.beats(one, label)), None)
    if by is None:
        by = next(one.label for one in of.measured if of.beats(one.label, label))
    return _against(of, [label], by, blocks)


def _among(of: ClassStanding, best: Sequence[str], who: str = "") -> str:
    """What is shown between those that are to be taken; `who` where "they" would be others."""
    if len(best) < 2:
        return ""
    if _all_equivalent(of, best):
        margin = part_words(_comparisons(of, best)[0].margin)
        return f"; {who or 'they'} are equivalent within {margin}"
    return f"; no difference is shown between {who or 'them'}{_more(of, best)}"


def _more(of: ClassStanding, best: Sequence[str]) -> str:
    """How many blocks would show what is not decided between these."""
    undecided = [one for one in _comparisons(of, best) if not is_equivalent(one)]
    more = [one.more_blocks for one in undecided if one.more_blocks]
    if not more:
        return ""
    one_of = part_words(undecided[0].margin)
    return f", and {needed_words(max(more))} would show one of {one_of}"


def _all_equivalent(of: ClassStanding, labels: Sequence[str]) -> bool:
    return all(map(is_equivalent, _comparisons(of, labels)))


def _comparisons(of: ClassStanding, labels: Sequence[str]) -> list[PairComparison]:
    return [
        found
        for (measure, a, b), found in of.pairs.items()
        if measure == of.measure and a in labels and b in labels
    ]


def _failing(of: ClassStanding, best: Sequence[str]) -> str:
    """Which of those that are to be taken fail more than another column, or did so here."""
    failures = [one for one in of.failures.values() if one.median is not None]
    if not failures or Measure.of(of.measure).name == FAILED:
        return ""
    least = min(failures, key=_median)
    told = []
    for mine in failures:
        if mine.label not in best:
            continue
        if (worse := _fails_more(of, mine)) is not None:
            words = f"{mine.label} fails more than {worse.label}"
        elif _median(mine) > _median(least) and not _same_failures(of, mine, least):
            worse = least
            words = f"{mine.label} failed more than {worse.label}, which may be chance"
        else:
            continue
        rates = f"{amount(mine.median, mine.unit)} against {amount(worse.median, worse.unit)}"
        told.append(f"; but {words} ({rates} of the requests)")
    return "".join(told)


def _fails_more(of: ClassStanding, mine: MeasuredColumn) -> MeasuredColumn | None:
    """The first column than which it is shown to fail more."""
    for other in of.failures.values():
        pair = of.pair(mine.label, other.label, mine.measure)
        if pair and pair.shown > 0 and not pair.within_margin:
            return other
    return None


def _same_failures(of: ClassStanding, mine: MeasuredColumn, least: MeasuredColumn) -> bool:
    pair = of.pair(mine.label, least.label, mine.measure)
    return pair is not None and pair.within_margin


def _too_few(results: Results) -> list[str]:
    """Where nothing can count, whatever the runs say: why, and what would do."""
    if max((one.n[0] for one in results.comparison), default=0) == 1:
        return [f"one block cannot tell a difference from chance: run it with --repeats {ENOUGH}"]
    asked = [one for one in results.comparison if one.paired and one.tests]
    if not asked or any((one.least_p or 0) * one.tests < LEVEL for one in asked):
        return []
    tests, blocks = asked[0].tests, max(one.n[0] for one in asked)
    measures = len({one.measure for one in asked})
    enough, of_two = least_blocks(LEVEL / tests), least_blocks(LEVEL / measures)
    pairs = len({(one.a, one.b) for one in asked})
    at_once = f" in {tests} tests at once ({plural(pairs, 'pair')}, {plural(measures, 'measure')})"
    fewer = ""
    if of_two < enough:
        fewer = f"; two schedulers chosen by --scheduler need {of_two}"
        if measures > 1:
            fewer += ", and fewer `measures:` in the scenario need fewer, too"
    return [
        f"too few blocks: {blocks} were run, and no difference can be told from chance"
        f"{at_once if tests > 1 else ''} with fewer than {enough} (--repeats {enough}){fewer}"
    ]


def _named(labels: Sequence[str], last: str = "and") -> str:
    """Some of them by name, and of more how many there are."""
    if len(labels) <= MOST_NAMED:
        return listed(labels, last)
    return f"{', '.join(labels[: MOST_NAMED - 1])} {last} {len(labels) - MOST_NAMED + 1} more"


def _sure(found: Sequence[PairComparison]) -> str:
    most = max(one.p_holm or 0.0 for one in found)
    return f"{p_words(most)}{' at most' if len(found) > 1 else ''} (Holm)"


def _range(columns: Sequence[MeasuredColumn]) -> str:
    """The medians: "2.1 ms", "2.1 to 2.4 ms"."""
    ordered = sorted((one for one in columns if one.median is not None), key=_median)
    low, high = (amount(one.median, one.unit) for one in (ordered[0], ordered[-1]))
    if low == high:
        return low
    if low.split(" ")[1:] == high.split(" ")[1:]:
        low = low.split(" ")[0]  # one unit for both
    return f"{low} to {high}"


def _figures(of: ClassStanding, columns: Sequence[MeasuredColumn]) -> str:
    """The medians by name, of many only the least and the greatest."""
    figure = figure_words(of.measure)
    if len(columns) > MOST_NAMED:
        ordered = sorted(columns, key=_median)
        ends = (
            f"{amount(one.median, one.unit)} ({one.label})" for one in (ordered[0], ordered[-1])
        )
        return f"{figure} {' to '.join(ends)}"
    each = (f"{one.label} {amount(one.median, one.unit)}" for one in columns)
    return f"{figure}: {', '.join(each)}"


def _with_interval(column: MeasuredColumn) -> str:
    """A median, and its interval where there are runs enough: "2.1 ms [2.0 ms, 2.3 ms]"."""
    median = amount(column.median, column.unit)
    if column.ci95 is None:
        return median
    return f"{median} [{', '.join(amount(end, column.unit) for end in column.ci95)}]"


def _runs(column: MeasuredColumn) -> str:
    return plural(len(column.blocks), "run")


def _median(column: MeasuredColumn) -> float:
    return column.median or 0.0
