"""The chi-square distribution and the index of dispersion."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.statistics.chi_square import chi_square_above, chi_square_below
from ipvsload.statistics.dispersion import dispersion


@pytest.mark.parametrize(
    ("statistic", "freedom", "above"),
    [
        (1, 1, 0.31731050786291115),
        (10, 3, 0.01856613546304325),
        (100, 60, 0.0009168288614560842),
        (900, 1000, 0.9892827619087102),
        (1100, 1000, 0.014614408126295192),
        (31000, 30000, 2.6646147201686728e-05),
        (500, 300, 3.3592224575792775e-12),
    ],
)
def test_values_of_scipy(statistic: float, freedom: float, above: float) -> None:
    """scipy.stats.chi2.sf of SciPy 1.17.1."""
    assert chi_square_above(statistic, freedom) == pytest.approx(above, rel=1e-9)
    assert chi_square_below(statistic, freedom) == pytest.approx(1 - above, rel=1e-9)


@given(st.floats(0, 200))
def test_with_two_degrees_of_freedom_it_is_exponential(statistic: float) -> None:
    assert chi_square_above(statistic, 2) == pytest.approx(math.exp(-statistic / 2), rel=1e-9)


@given(st.floats(0, 5000), st.floats(0, 50), st.floats(0.5, 2000))
def test_more_is_less_probable(statistic: float, more: float, freedom: float) -> None:
    assert 0 <= chi_square_above(statistic + more, freedom) <= 1
    before = chi_square_above(statistic, freedom)
    assert chi_square_above(statistic + more, freedom) <= before + 1e-12


def test_without_freedom_there_is_no_distribution() -> None:
    with pytest.raises(ValueError, match="no degrees"):
        chi_square_above(1, 0)


def test_the_dispersion_of_even_random_and_bursty_counts() -> None:
    assert dispersion([10] * 50, 10).value == 0
    assert dispersion([10] * 50, 10).p < 1e-6
    draw = random.Random(2)
    binomial = [sum(draw.random() < 0.01 for _ in range(1000)) for _ in range(300)]
    found = dispersion(binomial, 10)
    assert 0.7 < found.value < 1.3
    assert found.p > 1e-4
    assert dispersion([0, 20] * 25, 10).value == 10
    assert dispersion([0, 20] * 25, 10).p < 1e-6
    with pytest.raises(ValueError, match="no counts"):
        dispersion([], 10)
