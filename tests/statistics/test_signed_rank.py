"""The signed-rank test and its interval, against SciPy and against every sign there is.

SciPy takes a second to import: only who runs these tests pays it.
"""

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.statistics import hodges_lehmann
from ipvsload.statistics.signed_rank import MOST_EXACT, outside_interval, signed_rank

whole = st.integers(-6, 6).map(float)
sizes = st.integers(1, 10_000)
unlike = st.lists(
    st.one_of(sizes.map(float), sizes.map(lambda size: -float(size))),
    min_size=1,
    max_size=20,
    unique_by=abs,
)


@settings(max_examples=50)
@given(unlike)
def test_without_ties_it_is_scipys(differences: list[float]) -> None:
    from scipy.stats import wilcoxon

    found = signed_rank(differences)
    for alternative, p in (
        ("two-sided", found.p),
        ("greater", found.greater),
        ("less", found.less),
    ):
        oracle = wilcoxon(differences, alternative=alternative, method="exact").pvalue
        assert p == pytest.approx(oracle, rel=1e-9)
    assert (found.ties, found.exact) == (False, True)


@settings(max_examples=60)
@given(st.lists(whole, min_size=1, max_size=9))
def test_with_ties_and_zeros_it_is_the_part_of_all_signs(differences: list[float]) -> None:
    from scipy.stats import rankdata

    told = [d for d in differences if d]
    ranks = rankdata([abs(d) for d in told]) if told else []
    positive = sum(rank for rank, d in zip(ranks, told, strict=True) if d > 0)
    sums = [
        sum(itertools.compress(ranks, signs))
        for signs in itertools.product((0, 1), repeat=len(told))
    ]
    found = signed_rank(differences)
    assert found.greater == pytest.approx(sum(s >= positive for s in sums) / len(sums))
    assert found.less == pytest.approx(sum(s <= positive for s in sums) / len(sums))
    assert found.least_p == min(1, 2 / len(sums))
    assert found.ties == (len({abs(d) for d in told}) < len(differences))


@pytest.mark.parametrize("seed", range(20))
def test_of_many_pairs_it_is_the_normal_limit_with_ties(seed: int) -> None:
    from scipy.stats import wilcoxon

    draw = random.Random(seed)
    differences = [float(draw.randint(-40, 50)) for _ in range(draw.randint(80, 150))]
    found = signed_rank(differences)
    assert not found.exact
    for alternative, p in (("two-sided", found.p), ("less", found.less)):
        oracle = wilcoxon(
            differences, alternative=alternative, method="asymptotic", correction=True
        ).pvalue
        # SciPy's step towards the middle has the sign of the statistic, ours of the tail.
        assert p == pytest.approx(oracle, abs=5e-3)


def test_the_limit_goes_on_where_the_exact_ends() -> None:
    from scipy.stats import wilcoxon

    differences = [float(i) if i % 3 else -float(i) for i in range(1, MOST_EXACT + 2)]
    limit = signed_rank(differences)
    assert not limit.exact
    assert limit.p == pytest.approx(wilcoxon(differences, method="exact").pvalue, rel=0.02)


@given(st.lists(whole, min_size=1, max_size=15))
def test_turned_round_it_says_the_opposite(differences: list[float]) -> None:
    one, other = signed_rank(differences), signed_rank([-d for d in differences])
    assert (one.greater, one.less, one.p) == (other.less, other.greater, other.p)
    assert one.p >= one.least_p


def test_nothing_is_shown_by_zeros() -> None:
    assert signed_rank([0.0] * 10)[:3] == (1, 1, 1)
    assert signed_rank([]).p == 1


@pytest.mark.parametrize(("pairs", "outside"), [(5, None), (6, 0), (10, 8), (20, 52), (50, 434)])
def test_the_ends_of_the_interval_are_those_of_the_tables(pairs: int, outside: int | None) -> None:
    """Wilcoxon's table of critical values, to both sides at 0.05."""
    assert outside_interval(pairs) == outside


def test_the_intervals_of_many_pairs_go_on_smoothly() -> None:
    ends = [outside_interval(pairs) for pairs in range(6, 80)]
    steps = [b - a for a, b in itertools.pairwise(end for end in ends if end is not None)]
    assert len(steps) == 73
    # One pair more has an average with each other one, of which less than half are outside.
    assert all(pairs / 4 - 2 <= step <= pairs / 2 for pairs, step in enumerate(steps, 7))


@settings(max_examples=40)
@given(unlike.filter(lambda found: len(found) >= 6))
def test_the_interval_has_what_the_test_does_not_reject(differences: list[float]) -> None:
    estimate, ci95 = hodges_lehmann.of_pairs(differences)
    assert ci95 is not None
    low, high = ci95
    assert low <= estimate <= high
    step = 1e-6
    assert signed_rank([d - low + step for d in differences]).p <= 0.05
    assert signed_rank([d - low - step for d in differences]).p > 0.05
    assert signed_rank([d - high - step for d in differences]).p <= 0.05
    assert signed_rank([d - high + step for d in differences]).p > 0.05


def test_the_estimate_is_the_median_of_walsh_averages() -> None:
    assert hodges_lehmann.of_pairs([1, 2, 9]) == (3.5, None)  # 1 1.5 2 5 5.5 9
    assert math.isclose(hodges_lehmann.of_pairs([1, 2, 6, 7])[0], 4)
