"""Differences on the scale that fits: ratios of times and rates, differences of shares."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.results.column_difference import column_difference
from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.pair_tests import pair_comparisons
from tests.results.made_columns import column

BLOCKS = st.lists(
    st.tuples(st.floats(1, 1e4), st.floats(1, 1e4)).filter(lambda two: two[0] != two[1]),
    min_size=6,
    max_size=12,
)


def two_columns(blocks: Sequence[tuple[float, float]]) -> tuple[MeasuredColumn, MeasuredColumn]:
    return column("a", [one for one, _ in blocks]), column("b", [two for _, two in blocks])


@given(BLOCKS, st.lists(st.floats(0.01, 100), min_size=12, max_size=12))
def test_what_makes_both_runs_of_a_block_longer_by_a_factor_changes_nothing(
    blocks: list[tuple[float, float]], factors: list[float]
) -> None:
    slow = list(zip(blocks, factors, strict=False))
    plain = column_difference(*two_columns(blocks), 0.05)
    slowed = column_difference(
        *two_columns([(one * by, two * by) for (one, two), by in slow]), 0.05
    )
    assert plain is not None
    assert slowed is not None
    assert slowed.test.estimate == pytest.approx(plain.test.estimate, abs=1e-9)
    assert slowed.test.ci95 == pytest.approx(plain.test.ci95, abs=1e-9)


@given(BLOCKS)
def test_nothing_is_more_than_all_of_it_less(blocks: list[tuple[float, float]]) -> None:
    a, b = (
        column(name, values) for name, values in zip("ab", zip(*blocks, strict=True), strict=True)
    )
    (pair,) = pair_comparisons([(a, b)], 0.05)
    assert pair.ratio
    assert pair.difference is not None
    assert pair.difference_ci95 is not None
    assert a.median is not None
    assert pair.difference_ci95[0] > -a.median
    assert pair.difference_ci95[0] <= pair.difference <= pair.difference_ci95[1]


@given(BLOCKS)
def test_said_of_the_other_it_is_the_inverse_ratio(blocks: list[tuple[float, float]]) -> None:
    a, b = (
        column(name, values) for name, values in zip("ab", zip(*blocks, strict=True), strict=True)
    )
    (pair,) = pair_comparisons([(a, b)], 0.05)
    (other,) = pair_comparisons([(b, a)], 0.05)
    turned = pair.turned
    assert (turned.a, turned.b, turned.verdict, turned.p) == ("b", "a", other.verdict, other.p)
    assert turned.difference == pytest.approx(other.difference, rel=1e-6, abs=1e-6)
    assert turned.difference_ci95 == pytest.approx(other.difference_ci95, rel=1e-6, abs=1e-6)
    assert turned.turned.difference == pytest.approx(pair.difference, rel=1e-6, abs=1e-6)


def test_half_as_long_is_half_of_the_median() -> None:
    a = column("a", [10, 20, 40, 80, 160, 320, 640])
    b = column("b", [value / 2 for _, value in a.blocks])
    found = column_difference(a, b, 0.05)
    assert found is not None
    assert found.estimate == pytest.approx(-40)
    assert found.margin == pytest.approx(math.log(1.05))
    assert found.method == "Hodges-Lehmann and signed-rank test of pairs, exact, of ratios"


@pytest.mark.parametrize(
    ("measure", "value"), [("failed_share", 0.1), ("latency_p95", 0.0), ("rps", 0.0)]
)
def test_what_may_be_0_is_compared_by_its_difference(measure: str, value: float) -> None:
    a = column("a", [value] + [0.5 + i / 10 for i in range(7)], measure)
    b = column("b", [value] + [0.7 + i / 10 for i in range(7)], measure)
    (pair,) = pair_comparisons([(a, b)], 0.05)
    assert not pair.ratio
    assert pair.difference == pytest.approx(0.2)
    assert pair.turned.difference == pytest.approx(-0.2)
    assert pair.turned.difference_ci95 is not None
    assert pair.turned.difference_ci95[1] <= 0
