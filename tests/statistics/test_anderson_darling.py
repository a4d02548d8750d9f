"""The test of Anderson and Darling, beside published values."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.statistics.anderson_darling import anderson_darling

parts = st.lists(st.floats(0, 1), min_size=1, max_size=200).map(sorted)


def test_the_statistic_and_its_probability() -> None:
    # The statistic was computed with NumPy from its definition.
    found = anderson_darling([0.02, 0.11, 0.23, 0.31, 0.42, 0.55, 0.58, 0.71, 0.88, 0.97])
    assert found.statistic == pytest.approx(0.1851938847448551, rel=1e-12)
    assert found.p == pytest.approx(0.9945, abs=1e-4)


@pytest.mark.parametrize(("statistic", "p"), [(1.933, 0.1), (2.492, 0.05), (3.857, 0.01)])
def test_the_critical_values_of_the_books(statistic: float, p: float) -> None:
    """Those for known parameters: Stephens, in D'Agostino and Stephens, 1986, table 4.2.

    Found again by values whose statistic is moved to them.
    """
    n = 500
    low, high = 1.0, 1.2
    for _ in range(40):
        power = (low + high) / 2
        found = anderson_darling([((i + 0.5) / n) ** power for i in range(n)])
        low, high = (power, high) if found.statistic < statistic else (low, power)
    assert found.p == pytest.approx(p, rel=0.05)


def test_uniform_values_are_rarely_rejected_and_others_always() -> None:
    draw = random.Random(1)
    found = [anderson_darling(sorted(draw.random() for _ in range(50))).p for _ in range(200)]
    # 20 are expected; the seed is fixed.
    assert 5 < sum(p < 0.1 for p in found) < 45
    assert anderson_darling([0.5] * 100).p < 1e-6
    assert anderson_darling([i / 400 for i in range(100)]).p < 1e-6


@given(parts)
def test_it_is_the_same_from_both_ends(values: list[float]) -> None:
    found = anderson_darling(values)
    mirrored = anderson_darling(sorted(1 - value for value in values))
    assert 0 <= found.p <= 1
    if values[0] > 1e-9 and values[-1] < 1 - 1e-9:
        assert mirrored.statistic == pytest.approx(found.statistic, rel=1e-6, abs=1e-6)


def test_without_values_there_is_nothing_to_say() -> None:
    with pytest.raises(ValueError, match="no values"):
        anderson_darling([])
