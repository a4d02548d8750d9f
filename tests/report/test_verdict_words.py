"""The answer in words: what a newcomer reads first, and must not misread."""

from collections.abc import Sequence

import pytest

from ipvsload.report.measure_words import difference_words, measure_words, p_words, part_words
from ipvsload.report.pair_words import verdict_words
from ipvsload.report.verdict_words import class_sentences, pair_sentence
from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.pair_tests import pair_comparisons, pairs_of
from ipvsload.results.results import Results
from tests.results.made_columns import column, drawn

P95 = "latency_p95{class=short}"
FAILED = "failed_share{class=short}"


def results(*columns: MeasuredColumn, baseline: str = "rr") -> Results:
    comparison = pair_comparisons(list(pairs_of(columns)), 0.05)
    return Results(
        "s", "", "lab", 0, "held", (), baseline=baseline, columns=columns, comparison=comparison
    )


def answer(*columns: MeasuredColumn, baseline: str = "rr") -> tuple[str, ...]:
    return class_sentences(results(*columns, baseline=baseline))


def p95(label: str, shift: float, n: int = 10, noise: float = 0.1) -> MeasuredColumn:
    return drawn(label, shift, n, noise, measure=P95)


def failed(label: str, values: Sequence[float]) -> MeasuredColumn:
    return column(label, values, FAILED)


def sentence(a: MeasuredColumn, b: MeasuredColumn) -> str:
    (found,) = pair_comparisons([(a, b)], 0.05)
    return pair_sentence(found, a, b)


def test_a_pair_says_who_is_quicker_by_how_much_and_how_sure() -> None:
    assert sentence(p95("rr", 0), p95("lc", -2)) == (
        "lc is quicker than rr: short p95 -2.0 ms [-2.2, -1.8], p 0.002 (Holm), 10 blocks"
    )
    assert sentence(p95("lc", -2), p95("rr", 0)) == (
        "rr is slower than lc: short p95 +2.0 ms [1.8, 2.2], p 0.002 (Holm), 10 blocks"
    )


def test_a_difference_that_is_smaller_than_what_matters_says_so() -> None:
    told = sentence(p95("rr", 0, noise=0.01), p95("lc", -0.3, noise=0.01))
    assert told.startswith("lc is quicker than rr: short p95 -0.30 ms [")
    assert told.endswith("10 blocks; equivalent within 5 %")


def test_more_blocks_than_anybody_runs_are_not_counted_out() -> None:
    told = sentence(p95("rr", 0, noise=8), p95("lc", 0, noise=8))
    assert told.endswith(
        "(no difference is shown; not even 1,000 more blocks would show one of 5 %)"
    )


def test_where_nothing_is_shown_it_says_how_many_blocks_would() -> None:
    told = sentence(p95("rr", 0, noise=2), p95("lc", 0, noise=2))
    assert told.startswith("lc and rr: short p95 ")
    assert told.endswith(" more blocks would show one of 5 %)")
    assert ", 10 blocks: ~ (no difference is shown; " in told


def test_what_is_equivalent_says_within_what() -> None:
    assert sentence(p95("rr", 0), p95("lc", 0)).endswith(", 10 blocks: equivalent within 5 %")
    same = p95("rr", 0)
    assert sentence(same, column("wlc", [value for _, value in same.blocks], P95)) == (
        "wlc and rr: short p95 equivalent within 5 % (the same in all 10 blocks)"
    )


@pytest.mark.parametrize(
    ("measure", "less", "more"),
    [
        (FAILED, "fails less than", "fails more than"),
        ("queue_p95", "is quicker than", "is slower than"),
        ("rps{class=short}", "has less than", "has more than"),
        ("utilisation", "has less than", "has more than"),
    ],
)
def test_each_measure_has_its_own_words(measure: str, less: str, more: str) -> None:
    low = column("lc", [0.1 + i / 1000 for i in range(10)], measure)
    high = column("rr", [0.3 + i / 999 for i in range(10)], measure)
    assert sentence(high, low).startswith(f"lc {less} rr: ")
    assert sentence(low, high).startswith(f"rr {more} lc: ")


def test_a_column_without_a_value_cannot_be_compared() -> None:
    assert sentence(p95("rr", 0), column("lc", [], P95)) == (
        "lc and rr: short p95 cannot be compared, because lc has no value"
    )


def test_the_short_word_stands_in_tables() -> None:
    a, b, c = p95("rr", 0), p95("lc", -2), p95("sed", -2)
    found = pair_comparisons([(a, b), (b, c)], 0.05)
    assert [verdict_words(one, b) for one in found] == ["quicker", "equivalent within 5 %"]


def test_the_answer_names_the_best_and_what_is_not_decided() -> None:
    assert answer(p95("rr", 0), p95("lc", -8, noise=2), p95("sed", -8, noise=2)) == (
        "short: take lc or sed: both are quicker than rr by 37 to 39 % (p95 12.9 to 13.1 ms"
        " against 20.1 ms, p 0.0059 at most (Holm), 10 blocks); no difference is shown between"
        " them, and 307 more blocks would show one of 5 %",
    )


def test_a_single_best_has_its_interval_in_percent() -> None:
    (told,) = answer(p95("rr", 0), p95("lc", -8))
    assert told.startswith("short: take lc: it is quicker than rr by 39 % [37, 42] (p95 12.0 ms ")
    assert told.endswith("p 0.002 (Holm), 10 blocks)")


def test_the_baseline_may_be_the_best() -> None:
    (told,) = answer(p95("rr", 0), p95("lc", 8), p95("sed", 4), p95("nq", 0))
    assert told.startswith("short: take rr or nq: lc and sed are slower than rr by 20 to 39 % (")
    assert told.endswith("; rr and nq are equivalent within 5 %")


def test_another_baseline_is_what_the_others_are_set_against() -> None:
    (told,) = answer(p95("rr", 0), p95("lc", -8), p95("sed", -4), baseline="sed")
    assert told.startswith("short: take lc: it is quicker than sed by 25 % [")


def test_equal_columns_are_equivalent() -> None:
    (two,) = answer(p95("rr", 0), p95("lc", 0))
    assert two.startswith("short: rr and lc are equivalent within 5 % (p95: rr ")
    assert two.endswith(", 10 blocks): by that, take either")
    (three,) = answer(p95("rr", 0), p95("lc", 0), p95("sed", 0))
    assert three.endswith(": by that, take any of them")


def test_what_is_not_shown_is_not_called_equal() -> None:
    (told,) = answer(p95("rr", 0, noise=3), p95("lc", 0, noise=3))
    assert told.startswith("short: no difference is shown between rr and lc (p95: rr ")
    assert "equivalent" not in told
    assert "take" not in told


def test_one_column_or_one_block_says_what_to_run() -> None:
    (alone,) = answer(p95("rr", 0, 3))
    assert alone == (
        "short: p95 19.5 ms under rr, in 3 runs, and nothing to compare it with: run two schedulers"
        " or more"
    )
    (steady,) = answer(p95("rr", 0))
    assert steady.startswith("short: p95 20.1 ms [")
    *once, what = answer(p95("rr", 0, 1), p95("lc", -8, 1))
    assert once == ["short: nothing is shown yet (p95: rr 19.4 ms, lc 11.2 ms, 1 block)"]
    assert what == "one block cannot tell a difference from chance: run it with --repeats 10"


def test_columns_that_are_the_same_in_few_blocks_are_not_called_equivalent() -> None:
    rr = p95("rr", 0, 3)
    (told,) = answer(rr, column("lc", [value for _, value in rr.blocks], P95))
    assert told.startswith("short: rr and lc were the same in all 3 blocks (p95: rr 19.5 ms, ")
    assert told.endswith("), too few to show that they are equivalent")


def test_too_few_blocks_are_told_once_with_what_would_do() -> None:
    columns = [
        drawn(label, shift, 3, measure=f"latency_p95{{class={name}}}")
        for name in ("short", "long")
        for label, shift in (("rr", 0), ("lc", -8), ("sed", -9))
    ]
    short, long, few = answer(*columns)
    assert short.startswith("short: nothing is shown yet (p95: rr ")
    assert long.startswith("long: nothing is shown yet (p95: rr ")
    assert few == (
        "too few blocks: 3 were run, and no difference can be told from chance in 6 tests at once"
        " (3 pairs, 2 measures) with fewer than 8 (--repeats 8); two schedulers chosen by"
        " --scheduler need 7, and fewer `measures:` in the scenario need fewer, too"
    )
    assert 2 / 2**7 * 6 > 0.05 > 2 / 2**8 * 6


def test_of_a_single_pair_no_fewer_tests_are_advised() -> None:
    told = answer(p95("rr", 0, 4), p95("lc", -8, 4))[-1]
    assert told == (
        "too few blocks: 4 were run, and no difference can be told from chance with fewer than 6"
        " (--repeats 6)"
    )


def test_who_fails_more_is_not_recommended_without_that_word() -> None:
    rates = [0.2 + i / 100 for i in range(10)]
    (told,) = answer(p95("rr", 0), p95("lc", -8), failed("rr", [0.0] * 10), failed("lc", rates))
    assert told.startswith("short: take lc: it is quicker")
    assert told.endswith("; but lc fails more than rr (24 % against 0 % of the requests)")
    (other,) = answer(p95("rr", 0), p95("lc", 8), failed("rr", [0.0] * 10), failed("lc", rates))
    assert "fails" not in other  # it is not recommended anyway


def test_failures_that_may_be_chance_are_told_as_such() -> None:
    rates = [0.0, 0.3, 0.0, 0.2, 0.0, 0.4, 0.3, 0.1, 0.0, 0.0]
    (told,) = answer(p95("rr", 0), p95("lc", -8), failed("rr", [0.0] * 10), failed("lc", rates))
    assert told.endswith(
        "; but lc failed more than rr, which may be chance (5 % against 0 % of the requests)"
    )


def test_a_column_without_a_value_is_named() -> None:
    (told,) = answer(p95("rr", 0), p95("lc", -8), column("sed", [], P95))
    assert told.endswith("; sed: no run that counts has a p95")
    (none,) = answer(column("rr", [], P95), column("lc", [], P95))
    assert none == "short: nothing can be said: no run that counts has a p95"


def test_many_columns_are_not_all_named() -> None:
    many = [p95(f"v{i}", -8 if i else 0, 14) for i in range(20)]
    (told,) = answer(*many, baseline="v0")
    assert told.startswith("short: take v1, v2, v3, v4, v5 or 14 more: all of them are quicker ")
    assert len(told) < 300


def test_classes_stand_in_their_order_and_need_no_latency() -> None:
    of = "rps{class=long}"
    rates = [column("rr", [100 + i for i in range(10)], of),
             column("lc", [150 + i for i in range(9)] + [170], of)]  # fmt: skip
    long, short = answer(*rates, p95("rr", 0), p95("lc", 0))
    assert long.startswith("long: take lc: it has more than rr by 48 % [")
    assert short.startswith("short: rr and lc are equivalent")


def test_a_middle_one_is_set_against_what_beats_it() -> None:
    noisy = p95("rr", 4, noise=6)
    (told,) = answer(noisy, p95("lc", -8), p95("sed", 0))
    assert told.startswith("short: take lc: it is quicker than rr by ")


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        (P95, "short p95"),
        ("latency_max", "max"),
        (FAILED, "short failed"),
        ("queue_p95{class=short, server=2}", "short queue p95 of server 2"),
        ("rps{class=long}", "long requests per second"),
        ("utilisation", "utilisation"),
    ],
)
def test_measures_have_short_names(measure: str, words: str) -> None:
    assert measure_words(measure) == words


def test_differences_have_the_digits_that_they_need() -> None:
    assert difference_words(-1.1, (-1.3, -0.9), "ms") == "-1.1 ms [-1.3, -0.9]"
    assert difference_words(-125.6, (-205.7, -88.8), "ms") == "-126 ms [-206, -89]"
    assert difference_words(-0.004, (-4.45, 4.37), "ms") == "0.0 ms [-4.5, 4.4]"
    assert difference_words(0.0123, (0.008, 0.0161), "fraction") == "+1.2 points [0.8, 1.6]"
    assert difference_words(0.0, None, "1/s") == "0 /s"
    assert difference_words(0.00123, None, "s") == "+0.0012 s"


def test_probabilities_and_parts_are_short() -> None:
    assert [p_words(p) for p in (0.0009765625, 0.04, 0.999, 0.00003)] == [
        "p 0.00098", "p 0.04", "p 1", "p < 0.0001",
    ]  # fmt: skip
    assert [part_words(part) for part in (0.05, 0.025, -0.404, 0.001)] == [
        "5 %", "2.5 %", "40 %", "0.1 %",
    ]  # fmt: skip
