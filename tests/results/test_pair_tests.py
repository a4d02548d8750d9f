"""Pairs of columns as one experiment: what is shown after the correction, and what never can be."""

import pytest

from ipvsload.results.pair_comparison import MeasuredColumn, PairComparison
from ipvsload.results.pair_tests import pair_comparisons, pairs_of
from tests.results.made_columns import column, drawn

FAILED = "failed_share"
TWO = ("rps", "failures")
WORSE = {"rr": 0.0, "lc": -2.0, "sed": -2.0}


def compared(*columns: MeasuredColumn, margin: float = 0.05) -> tuple[PairComparison, ...]:
    return pair_comparisons(list(pairs_of(columns)), margin)


def test_every_two_columns_of_a_measure_are_a_pair_in_their_order() -> None:
    columns = [column(label, [1, 2], name) for name in TWO for label in ("rr", "lc", "sed")]
    told = [(a.measure, a.label, b.label) for a, b in pairs_of(columns)]
    assert told == [
        (name, *two)
        for name in ("rps", "failures")
        for two in (("rr", "lc"), ("rr", "sed"), ("lc", "sed"))
    ]


def test_ten_blocks_show_what_differs_and_what_does_not() -> None:
    rr_lc, rr_sed, lc_sed = compared(*(drawn(label, s, 10) for label, s in WORSE.items()))
    assert (rr_lc.verdict, rr_sed.verdict, lc_sed.verdict) == ("less", "less", "equivalent")
    assert rr_lc.p == 2 / 1024
    assert rr_lc.p_holm == pytest.approx(3 * 2 / 1024)
    assert rr_lc.difference == pytest.approx(-2, abs=0.2)
    assert rr_lc.tests == 3
    assert rr_lc.method.endswith("exact, of ratios; one of 3 in Holm's correction")
    assert lc_sed.p_equivalent is not None
    assert lc_sed.p_equivalent < 0.05
    assert rr_lc.more_blocks is None  # nothing is left to be shown


def test_greater_is_said_of_the_second() -> None:
    (found,) = compared(drawn("lc", -2, 10), drawn("rr", 0, 10))
    assert (found.a, found.b, found.verdict) == ("lc", "rr", "greater")


def test_three_blocks_show_nothing_and_say_how_many_would() -> None:
    for one in compared(*(drawn(label, s, 3) for label, s in WORSE.items())):
        assert one.verdict == "~"
        assert one.difference_ci95 is None
        assert one.least_p == 0.25
        assert one.more_blocks is not None
        # Of three tests at 0.05 the first takes 2 / 2^7 or less.
        assert one.more_blocks >= 4
        assert one.warnings


def test_what_holm_leaves_of_the_level_decides_how_many_more() -> None:
    def more(columns: int) -> int:
        noisy = [drawn(f"v{i}", 0, 10, noise=4) for i in range(columns)]
        return compared(*noisy)[0].more_blocks or 0

    assert more(2) < more(8)


def test_what_is_exactly_alike_is_no_test() -> None:
    lc, rr = drawn("lc", -2, 10), drawn("rr", 0, 10)
    (same, *others) = compared(lc, column("wlc", [v for _, v in lc.blocks]), rr)
    assert (same.verdict, same.p, same.p_holm, same.tests) == ("equivalent", 1, 1, 0)
    assert same.method.endswith("no test, so not corrected for")
    assert [one.tests for one in others] == [2, 2]


def test_of_two_blocks_alike_nothing_follows() -> None:
    (same,) = compared(column("a", [3, 3]), column("b", [3, 3]))
    assert same.verdict == "~"


def test_failures_in_two_blocks_take_nothing_from_the_others() -> None:
    seldom = [
        column("rr", [0.0] * 10, FAILED),
        column("lc", [0.0] * 8 + [0.1, 0.2], FAILED),
    ]
    found = compared(drawn("rr", 0, 10), drawn("lc", -2, 10), *seldom)
    assert [one.tests for one in found] == [1, 0]
    assert found[0].p_holm == 2 / 1024
    assert found[1].verdict == "~"
    assert found[1].p_equivalent is None  # a part of 0 is no margin
    assert found[1].more_blocks is None


def test_a_column_without_a_value_is_told_and_does_not_stop_the_others() -> None:
    found = compared(drawn("rr", 0, 10), column("lc", []), drawn("sed", -2, 10))
    assert [one.verdict for one in found] == ["~", "less", "~"]
    assert found[0].warnings == ("no two runs that can be compared",)
    assert (found[0].n, found[0].difference, found[0].p) == ((10, 0), None, None)


def test_recordings_that_share_no_blocks_are_compared_too() -> None:
    columns = drawn("before", 0, 10, noise=0), drawn("after", -8, 12, noise=0, seed=8)
    (found,) = pair_comparisons([columns], 0.05, paired=False)
    assert (found.verdict, found.n, found.paired) == ("less", (10, 12), False)
    assert "not paired" in found.method
    (found,) = pair_comparisons([(columns[0], column("after", []))], 0.05, paired=False)
    assert found.verdict == "~"


def test_of_columns_that_are_the_same_but_for_noise_few_are_told_apart() -> None:
    """At most one experiment in twenty: 300 have 15 of them, and 30 would be four deviations."""
    wrong = 0
    for seed in range(300):
        columns = [drawn(f"v{i}", 0, 10, noise=3, seed=seed) for i in range(4)]
        wrong += any(one.verdict in ("less", "greater") for one in compared(*columns))
    assert wrong <= 30
