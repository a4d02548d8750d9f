"""The test of two samples that are not paired, against SciPy and against every choice there is.

SciPy takes a second to import: only who runs these tests pays it.
"""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.statistics import hodges_lehmann
from ipvsload.statistics.mann_whitney import mann_whitney, outside_interval

few = st.lists(st.integers(0, 4), min_size=1, max_size=6)
unlike = st.lists(st.integers(0, 10_000), min_size=2, max_size=24, unique=True).flatmap(
    lambda found: st.integers(1, len(found) - 1).map(lambda cut: (found[:cut], found[cut:]))
)


@settings(max_examples=50)
@given(unlike)
def test_without_ties_it_is_scipys(samples: tuple[list[int], list[int]]) -> None:
    from scipy.stats import mannwhitneyu

    a, b = samples
    found = mann_whitney(a, b)
    for alternative, p in (
        ("two-sided", found.p),
        ("greater", found.greater),
        ("less", found.less),
    ):
        oracle = mannwhitneyu(b, a, alternative=alternative, method="exact").pvalue
        assert p == pytest.approx(oracle, rel=1e-9)


@settings(max_examples=60)
@given(few, few)
def test_with_ties_it_is_the_part_of_all_choices(a: list[int], b: list[int]) -> None:
    from scipy.stats import rankdata

    ranks = rankdata([*a, *b])
    of_b = sum(ranks[len(a) :])
    sums = [sum(chosen) for chosen in itertools.combinations(ranks, len(b))]
    found = mann_whitney(a, b)
    assert found.greater == pytest.approx(sum(s >= of_b for s in sums) / len(sums))
    assert found.less == pytest.approx(sum(s <= of_b for s in sums) / len(sums))
    assert found.p >= min(1, found.least_p)


@pytest.mark.parametrize("seed", range(20))
def test_of_many_it_is_the_normal_limit_with_ties(seed: int) -> None:
    from scipy.stats import mannwhitneyu

    draw = random.Random(seed)
    a, b = ([draw.randint(low, 30) for _ in range(draw.randint(30, 60))] for low in (0, 5))
    found = mann_whitney(a, b)
    assert (found.ties, found.exact) == (True, False)
    for alternative, p in (("greater", found.greater), ("less", found.less)):
        oracle = mannwhitneyu(b, a, alternative=alternative, method="asymptotic").pvalue
        assert p == pytest.approx(oracle, rel=1e-6)


@pytest.mark.parametrize(
    ("m", "n", "outside"), [(3, 4, None), (4, 4, 0), (5, 5, 2), (10, 10, 23), (20, 20, 127)]
)
def test_the_ends_of_the_interval_are_those_of_the_tables(
    m: int, n: int, outside: int | None
) -> None:
    """Critical values of U, to both sides at 0.05."""
    assert outside_interval(m, n) == outside


def test_beyond_the_tables_it_is_the_limit() -> None:
    assert outside_interval(25, 25) == 211
    assert outside_interval(25, 26) == pytest.approx(221, abs=1)


@settings(max_examples=25)
@given(unlike.filter(lambda found: min(map(len, found)) >= 4))
def test_the_interval_has_the_shifts_that_are_not_rejected(
    samples: tuple[list[int], list[int]],
) -> None:
    a, b = samples
    estimate, ci95 = hodges_lehmann.of_samples(a, b)
    assert ci95 is not None
    low, high = ci95
    assert low <= estimate <= high
    for end, inwards in ((low, 0.25), (high, -0.25)):
        assert mann_whitney([x + end - inwards for x in a], b).p <= 0.05
        assert mann_whitney([x + end + inwards for x in a], b).p > 0.05


def test_of_nothing_but_equals_nothing_can_be_said() -> None:
    assert mann_whitney([3, 3], [3, 3, 3])[:3] == (1, 1, 1)
    assert mann_whitney([3, 3], []).p == 1
