"""Latencies as percentile distributions in HdrHistogram's text format (.hgrm).

Its plotters read it: plotFiles.html, gnuplot's make_percentile_plot and hdr-plot. The lines stand
at the levels of HdrHistogram's PercentileIterator.java with five ticks in each half of what is
left to 100 %, so that files can be laid over each other. Values are exact, where a histogram's
have three digits: we have every request, and so no histogram.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_TICKS = 5


def percentile_lines(latencies_us: NDArray[np.int64]) -> Iterator[str]:
    """The file's lines, with their newlines, of latencies in ascending order; not empty.

    Values are in ms. A line says which part of the requests took that long at most, and how many.
    """
    n, last = len(latencies_us), int(latencies_us[-1])
    yield f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}\n\n"
    for part, whole in _levels():
        value = int(latencies_us[max(0, -(-part * n // whole) - 1)])
        count = int(np.searchsorted(latencies_us, value, "right"))
        level, inverse = part / whole, whole / (whole - part)
        yield f"{value / 1000:12.3f} {level:2.12f} {count:10d} {inverse:14.2f}\n"
        if value == last:
            break
    yield f"{last / 1000:12.3f} {1:2.12f} {n:10d}\n"
    mean, deviation = latencies_us.mean() / 1000, latencies_us.std() / 1000
    yield f"#[Mean    = {mean:12.3f}, StdDeviation   = {deviation:12.3f}]\n"
    yield f"#[Max     = {last / 1000:12.3f}, Total count    = {n:12d}]\n"


def _levels() -> Iterator[tuple[int, int]]:
    """0 %, 10 % ... 50 %, 55 % ... 75 %, 77.5 % and so on without end, as fractions: exact."""
    whole = 2 * _TICKS
    while True:
        for tick in range(_TICKS):
            yield whole - 2 * _TICKS + tick, whole
        whole *= 2
