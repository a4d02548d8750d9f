"""Percentile distributions as HdrHistogram writes them, of exact values."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.record.codec import encode_event
from ipvsload.record.events import RunInvalid
from ipvsload.record.reader import read
from ipvsload.report.exports.export_recording import export_recording
from ipvsload.report.exports.hgrm_format import percentile_lines
from ipvsload.report.write import load_results, write_reports
from tests.skew_recording import write_skew

# By HdrHistogram 2's outputPercentileDistribution(out, 5, 1000.0), but for its last line of
# buckets, for the values 1000, 2000 ... 20000.
TWENTY = """\
       Value     Percentile TotalCount 1/(1-Percentile)

       1.000 0.000000000000          1           1.00
       2.000 0.100000000000          2           1.11
       4.000 0.200000000000          4           1.25
       6.000 0.300000000000          6           1.43
       8.000 0.400000000000          8           1.67
      10.000 0.500000000000         10           2.00
      11.000 0.550000000000         11           2.22
      12.000 0.600000000000         12           2.50
      13.000 0.650000000000         13           2.86
      14.000 0.700000000000         14           3.33
      15.000 0.750000000000         15           4.00
      16.000 0.775000000000         16           4.44
      16.000 0.800000000000         16           5.00
      17.000 0.825000000000         17           5.71
      17.000 0.850000000000         17           6.67
      18.000 0.875000000000         18           8.00
      18.000 0.887500000000         18           8.89
      18.000 0.900000000000         18          10.00
      19.000 0.912500000000         19          11.43
      19.000 0.925000000000         19          13.33
      19.000 0.937500000000         19          16.00
      19.000 0.943750000000         19          17.78
      19.000 0.950000000000         19          20.00
      20.000 0.956250000000         20          22.86
      20.000 1.000000000000         20
#[Mean    =       10.500, StdDeviation   =        5.766]
#[Max     =       20.000, Total count    =           20]
"""


def plotted(text: str) -> list[tuple[float, float, int, float]]:
    """What HdrHistogram's plotFiles.html reads: lines of four words that are no comment."""
    words = [line.split() for line in text.splitlines() if not line.startswith("#")]
    four = [line for line in words if len(line) == 4 and line[0] != "Value"]
    return [(float(a), float(b), int(c), float(d)) for a, b, c, d in four]


def lines_of(latencies_us: list[int]) -> str:
    return "".join(percentile_lines(np.array(sorted(latencies_us), np.int64)))


def test_its_lines_are_histograms_own() -> None:
    assert lines_of([1000 * n for n in range(1, 21)]) == TWENTY


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=400))
def test_each_line_is_true(latencies_us: list[int]) -> None:
    text = lines_of(latencies_us)
    points = plotted(text)
    n = len(latencies_us)
    assert points[0][:2] == (min(latencies_us) / 1000, 0.0)
    for value, part, count, inverse in points:
        at_most = sum(one / 1000 <= value for one in latencies_us)
        below = sum(one / 1000 < value for one in latencies_us)
        assert count == at_most
        assert below / n <= part <= at_most / n + 1e-12
        assert inverse == pytest.approx(1 / (1 - part), rel=0.005)
    for one, after in pairwise(points):
        assert one[0] <= after[0]
        assert one[1] < after[1]
    last = next(line for line in text.splitlines() if " 1.000000000000 " in line).split()
    assert last == [f"{max(latencies_us) / 1000:.3f}", "1.000000000000", str(n)]


def test_a_columns_file_has_its_valid_runs(tmp_path: Path) -> None:
    directory = write_skew(tmp_path / "run", repeats=2)
    with (directory / "events.ndjson").open("a") as events:
        events.write(encode_event(RunInvalid(3, 20_000_000, "held up")))
    write_reports(*load_results(directory))
    made = {
        file.name: file.count
        for file in export_recording(directory, "hgrm", tmp_path / "out", lambda _: None)
    }
    assert made == {
        "rr.long.hgrm": 10,
        "rr.short.hgrm": 100,
        "lc.long.hgrm": 20,
        "lc.short.hgrm": 200,
        **{f"runs/{column}.long.run-{run}.hgrm": 10 for run, column in RUNS},
        **{f"runs/{column}.short.run-{run}.hgrm": 100 for run, column in RUNS},
    }
    run = read(directory).runs[0]
    text = (tmp_path / "out" / "rr.short.hgrm").read_text()
    assert text == lines_of([r.latency_us for r in run.requests if r.traffic == "short"])
    assert text == (tmp_path / "out" / "runs" / "rr.short.run-1.hgrm").read_text()


RUNS = [(1, "rr"), (2, "lc"), (3, "rr"), (4, "lc")]
