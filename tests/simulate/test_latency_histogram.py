"""Percentiles out of buckets are close to the exact ones, and the rest is exact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.simulate.latency_histogram import LatencyHistogram
from ipvsload.statistics.percentiles import percentile

times = st.lists(st.integers(0, 10**13), min_size=1, max_size=200)


@given(times, times, st.sampled_from([1, 50, 90, 95, 99, 100]))
def test_figures_are_those_of_all_times(some: list[int], more: list[int], part: int) -> None:
    histogram = LatencyHistogram()
    histogram.add(np.array(some))
    histogram.add(np.array(more))
    every = sorted(some + more)
    assert histogram.count == len(every)
    assert histogram.total == sum(every)
    assert histogram.greatest == every[-1]
    assert histogram.percentile(part) == pytest.approx(percentile(every, part), rel=0.003)


def test_without_times_there_are_no_figures() -> None:
    histogram = LatencyHistogram()
    histogram.add(np.array([], np.int64))
    assert histogram.mean is None
    assert histogram.percentile(50) is None
