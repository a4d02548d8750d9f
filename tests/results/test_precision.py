"""`--repeats auto`: how wide intervals are, and when they are narrow enough."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.precision import LEAST_BLOCKS, Width, decision, note, widest
from ipvsload.scenario.measures.base import Unit
from ipvsload.statistics.difference import paired_difference
from ipvsload.statistics.median_interval import median_interval


def column(label: str, *values: float, measure: str = "p95", unit: Unit = "ms") -> MeasuredColumn:
    return MeasuredColumn(
        label, measure, unit, "less", tuple(enumerate(values, 1)),
        statistics.median(values) if values else None, median_interval(values),
    )  # fmt: skip


RR = (100.0, 104.0, 98.0, 101.0, 97.0, 103.0, 99.0, 102.0)
LC = (90.0, 95.0, 87.0, 92.0, 88.0, 91.0, 90.0, 94.0)


def test_a_difference_is_measured_in_parts_of_the_baselines_median() -> None:
    rr, lc = (dict(enumerate(map(math.log, values))) for values in (RR, LC))
    columns = [column("lc", *LC), column("rr", *RR)]
    for a, b, base, other in ((rr, lc, "rr", "lc"), (lc, rr, "lc", "rr")):
        ci95 = paired_difference(a, b).ci95
        assert ci95 is not None
        half = (math.exp(ci95[1]) - math.exp(ci95[0])) / 2
        found = widest(columns, base)
        assert found is not None
        assert (found.label, found.baseline) == (other, base)
        assert found.part == pytest.approx(half)


def test_without_another_column_it_is_the_interval_of_the_median() -> None:
    found = widest([column("rr", *RR)], "rr")
    # Of eight values, from the least to the greatest.
    assert found == Width((104 - 97) / 2 / 100.5, "p95", "rr", None)


def test_the_widest_of_all_measures_and_columns_counts() -> None:
    more = tuple(value * (1 + (-1) ** i / 10) for i, value in enumerate(LC))
    columns = [
        column("rr", *RR), column("lc", *LC), column("nq", *more),
        column("rr", *RR, measure="p99"), column("lc", *LC, measure="p99"),
    ]  # fmt: skip
    found = widest(columns, "rr")
    assert found is not None
    assert (found.measure, found.label) == ("p95", "nq")


def test_a_share_is_measured_in_parts_of_the_whole() -> None:
    values = [0.001 * (i % 3) for i in range(8)]
    found = widest([column("rr", *([0.0] * 8), unit="fraction"),
                    column("lc", *values, unit="fraction")], "rr")  # fmt: skip
    assert found is not None
    assert 0 < found.part <= 0.001


def test_where_the_baseline_has_none_no_part_of_it_is_asked_for() -> None:
    nothing = column("rr", *([0.0] * 8), measure="failures", unit="number")
    some = column("lc", *RR, measure="failures", unit="number")
    assert widest([nothing, some], "rr") is None
    assert widest([column("rr"), column("lc")], "rr") is None


def test_two_that_are_alike_are_narrow_and_too_few_blocks_are_not() -> None:
    assert widest([column("rr", *RR), column("lc", *RR)], "rr") == Width(0.0, "p95", "lc", "rr")
    few = widest([column("rr", *RR[:5]), column("lc", *LC[:5])], "rr")
    assert few is not None
    assert math.isinf(few.part)
    assert few.words() == "still unknown (p95 of lc against rr)"


@given(st.floats(0.0001, 1), st.floats(0, 2) | st.just(math.inf), st.integers(1, 60))
def test_it_ends_where_intervals_are_narrow_or_at_the_limit(
    precision: float, part: float, blocks: int
) -> None:
    found = decision(Width(part, "p95", "lc", "rr"), blocks, 50, precision)
    narrow = blocks >= LEAST_BLOCKS and part <= precision
    assert (found.ends is not None) == (narrow or blocks >= 50)
    if found.ends and not narrow:
        assert "limit of 50 blocks" in found.ends


def test_what_people_read() -> None:
    width = Width(0.0712, "latency_p95{class=short}", "lc", "rr")
    found = decision(width, 12, 50, 0.05)
    assert found.words == (
        "12 blocks: the widest interval is +- 7.12 % (latency_p95{class=short} of lc against rr);"
        " asked for: +- 5 %, as some 25 blocks give it"
    )
    ended = decision(width, 12, 50, 0.08)
    assert ended.ends is not None
    assert note(12, ended.ends).startswith(
        "--repeats auto ended after 12 blocks: the widest interval is +- 7.12 %"
        " (latency_p95{class=short} of lc against rr), not wider than +- 8 %. It looked at how wide"
    )
