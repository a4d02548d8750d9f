"""What is said of pairs of recordings, in the words of a run's own verdict."""

from collections import Counter
from collections.abc import Iterator

from ipvsload.report.measure_words import part_words
from ipvsload.report.pair_words import is_alike, more_words, pair_sentence, verdict_words
from ipvsload.report.wording import plural
from ipvsload.results.pair_tests import LEVEL
from ipvsload.results.recording_pair import ComparedColumns, RecordingPair
from ipvsload.statistics.blocks_needed import least_blocks, least_runs

MOST_SENTENCES = 12
MOST_WARNINGS = 6


def short_verdict(pair: RecordingPair) -> str:
    """A word: "quicker", "equivalent", "the same", "~"."""
    verdict = pair.comparison.verdict
    if is_alike(pair.comparison):
        return "the same"
    if verdict in ("~", "equivalent"):
        return verdict
    return verdict_words(pair.comparison, pair.b)


def sentences(found: ComparedColumns) -> Iterator[str]:
    """One for each difference that is shown, and one for all that are not."""
    shown = [one for one in found.pairs if one.comparison.verdict in ("less", "greater")]
    for pair in shown[:MOST_SENTENCES]:
        yield pair_sentence(pair.comparison, pair.a, pair.b)
    if len(shown) > MOST_SENTENCES:
        yield f"{len(shown) - MOST_SENTENCES} more differences are shown: see the table"
    alike = sum(is_alike(one.comparison) for one in found.pairs)
    if alike:
        yield f"the same in every run: {_of_pairs(alike, found)}"
    rest = [one for one in found.pairs if not is_alike(one.comparison)]
    equivalent = [one for one in rest if one.comparison.verdict == "equivalent"]
    if equivalent:
        margin = part_words(equivalent[0].comparison.margin)
        yield f"equivalent within {margin}: {_of_pairs(len(equivalent), found)}"
    open_ones = [one for one in rest if one.comparison.verdict == "~"]
    if open_ones:
        most = max(open_ones, key=lambda one: one.comparison.more_blocks or 0).comparison
        yield f"~: no difference is shown in {_of_pairs(len(open_ones), found)}{more_words(most)}"
    yield from _too_few(found)


def method_words(found: ComparedColumns) -> str:
    """By which tests, and whether blocks were pairs."""
    how = (
        "paired by block: the runs of a repeat had the same arrivals and work in all recordings"
        if found.paired
        else "not paired: the recordings had not the same load"
    )
    methods = (one.comparison.method for one in found.pairs if one.comparison.method)
    method = next(methods, "").partition(";")[0]
    tests = max((one.comparison.tests for one in found.pairs), default=0)
    corrected = f"Holm over {plural(tests, 'test')}" if tests else "no test"
    return "; ".join(part for part in (how, method, corrected) if part)


def warnings(found: ComparedColumns) -> Iterator[str]:
    """What warns of a pair, the most frequent first."""
    counted = Counter(
        text.replace("first: ", f"{found.first}: ").replace("second: ", f"{one.other}: ")
        for one in found.pairs
        for text in one.comparison.warnings
    )
    for text, count in counted.most_common(MOST_WARNINGS):
        yield f"{text} (in {_of_pairs(count, found)})"


def _of_pairs(count: int, found: ComparedColumns) -> str:
    return f"{count} of {plural(len(found.pairs), 'pair')}"


def _too_few(found: ComparedColumns) -> Iterator[str]:
    """Where nothing can count, whatever the runs say, with what would do."""
    asked = [
        one.comparison
        for one in found.pairs
        if one.comparison.difference is not None and not is_alike(one.comparison)
    ]
    tests = max((one.tests for one in asked), default=0) or len(asked)
    if not asked or any((one.least_p or 0) * tests < LEVEL for one in asked):
        return
    enough = (least_blocks if found.paired else least_runs)(LEVEL / tests)
    yield (
        "so few runs cannot show any difference to be more than chance, however great, in"
        f" {plural(tests, 'test')} at once: it takes {plural(enough, 'run')} of each column"
        " in each recording"
    )
