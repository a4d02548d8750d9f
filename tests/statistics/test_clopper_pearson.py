"""The interval of a share, against SciPy's and against what it promises.

SciPy takes a second to import: only who runs these tests pays it.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.statistics.clopper_pearson import clopper_pearson


@settings(max_examples=40)
@given(st.integers(1, 400), st.floats(0, 1), st.sampled_from([0.9, 0.95, 0.99]))
def test_it_is_scipys(whole: int, part: float, level: float) -> None:
    from scipy.stats import binomtest

    count = round(part * whole)
    oracle = binomtest(count, whole).proportion_ci(level, method="exact")
    assert clopper_pearson(count, whole, level) == pytest.approx((oracle.low, oracle.high))


def test_none_and_all_have_an_end_at_0_and_1() -> None:
    assert clopper_pearson(0, 200) == pytest.approx((0, 1 - 0.025 ** (1 / 200)))
    assert clopper_pearson(200, 200) == pytest.approx((0.025 ** (1 / 200), 1))


@pytest.mark.parametrize(("count", "whole"), [(0, 0), (3, 2), (-1, 2)])
def test_what_is_no_part_is_refused(count: int, whole: int) -> None:
    with pytest.raises(ValueError, match="part of a whole"):
        clopper_pearson(count, whole)
