"""Trend, dependence of neighbours, and effective sample size of values in the order of time."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ipvsload.statistics.distribution_distance import distribution_distance
from ipvsload.statistics.effective_sample_size import effective_sample_size
from ipvsload.statistics.rank_correlation import serial_correlation
from ipvsload.statistics.trend import trend

FIGURES = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9]
several = st.lists(st.integers(-1000, 1000), min_size=3, max_size=60)


def autoregressive(seed: int, count: int, r: float) -> list[float]:
    draw, values = random.Random(seed), [0.0]
    while len(values) < count:
        values.append(r * values[-1] + draw.gauss(0, 1))
    return values


def test_the_values_of_scipy() -> None:
    """scipy.stats.theilslopes and scipy.stats.spearmanr of SciPy 1.17.1."""
    assert trend(FIGURES).change == pytest.approx(0.4444444444444444 * 14)
    assert trend(FIGURES).tau == 55 / 105  # 55 more pairs rise than fall
    assert serial_correlation(FIGURES).rho == pytest.approx(0.3277413123075597)


@given(several)
def test_what_rises_backwards_falls(values: list[int]) -> None:
    forth, back = trend(values), trend(values[::-1])
    assert (back.tau, back.change) == (-forth.tau, -forth.change)
    assert -1 <= forth.tau <= 1
    assert 0 <= forth.p <= 1


@given(several)
def test_a_correlation_is_of_ranks_alone(values: list[int]) -> None:
    found = serial_correlation(values)
    assert serial_correlation([math.exp(v / 100) for v in values]) == found
    assert -1 <= found.rho <= 1.0000001


def test_a_trend_is_found_and_a_drift_is_none() -> None:
    draw = random.Random(3)
    rising = [i + draw.gauss(0, 5) for i in range(40)]
    assert trend(rising).p < 1e-6
    assert 30 < trend(rising).change < 50
    assert trend([7.0] * 40) == (0, 1, 0)
    # Of 100 that only depend on their neighbours, none has a trend at this level.
    assert all(trend(autoregressive(seed, 40, 0.5)).p > 1e-4 for seed in range(100))
    with pytest.raises(ValueError, match="fewer than three"):
        trend([1, 2])


def test_neighbours_that_are_alike_are_correlated() -> None:
    assert serial_correlation(autoregressive(4, 2000, 0.8)).rho > 0.7
    assert serial_correlation(autoregressive(4, 2000, 0.8)).p < 1e-6
    assert abs(serial_correlation(autoregressive(4, 2000, 0)).rho) < 0.12
    assert serial_correlation([5, 5, 5, 5]) == (0, 1)
    with pytest.raises(ValueError, match="fewer than three"):
        serial_correlation([1, 2])


def test_dependent_values_count_as_fewer() -> None:
    """A process with correlation r of neighbours has n (1 - r) / (1 + r) effective values."""
    for r in (0.0, 0.5, 0.9):
        found = effective_sample_size(autoregressive(5, 20_000, r))
        assert found is not None
        assert found == pytest.approx(20_000 * (1 - r) / (1 + r), rel=0.35)
    assert effective_sample_size([1.0] * 99) is None
    assert effective_sample_size([1.0] * 100) == 100


@given(st.lists(st.integers(0, 10**6), min_size=100, max_size=150))
def test_an_effective_sample_is_at_least_one_and_at_most_all(values: list[int]) -> None:
    found = effective_sample_size(values)
    assert found is not None
    assert 1 <= found <= len(values)


def uniform(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(x, 0.0, 1.0)


def test_a_distance_is_that_of_kolmogorov_and_smirnov() -> None:
    assert distribution_distance([0.25, 0.75], uniform) == 0.25
    assert distribution_distance([0.5] * 10, uniform) == 0.5
    assert distribution_distance([0.5] * 10, uniform, tolerance=0.1) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="no values"):
        distribution_distance([], uniform)


@given(st.lists(st.floats(0, 1), min_size=1).map(sorted), st.floats(0, 0.5))
def test_a_tolerance_makes_it_less(values: list[float], tolerance: float) -> None:
    whole = distribution_distance(values, uniform)
    assert 0 <= distribution_distance(values, uniform, tolerance) <= whole <= 1
