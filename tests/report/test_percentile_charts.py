"""Latency by percentile: points of runs, bands over repeats, labels at the lines' ends."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.record.reader import read
from ipvsload.report.html import html_report
from ipvsload.report.html.column_chart import FEW, spread_labels
from ipvsload.report.html.column_styles import COLOURS, DASHES, GREY, column_styles
from ipvsload.report.html.percentile_charts import percentile_chart
from ipvsload.report.html.percentile_points import (
    STEPS,
    PercentileBand,
    over_repeats,
    percentile_curve,
)
from ipvsload.statistics.percentiles import percentile
from tests.report.rendering import results
from tests.skew_recording import SCENARIO, write_skew

latencies = st.lists(st.integers(1, 10**7), max_size=300)


@given(latencies)
def test_points_are_the_percentiles_that_so_many_requests_support(found: list[int]) -> None:
    curve = percentile_curve(sorted(found))
    assert len(curve) == sum(step <= len(found) for step in STEPS)
    assert all(a <= b for a, b in pairwise(curve))
    ordered = sorted(found)
    for step, p in ((2, 50), (10, 90), (100, 99)):
        if len(found) >= step:
            assert curve[STEPS.index(step)] == percentile(ordered, p)


def test_sixty_points_are_enough_for_ten_thousand_requests_each() -> None:
    curve = percentile_curve(range(10_000))
    assert len(curve) <= 60
    assert curve[0] == percentile(range(10_000), 50)
    assert curve[-1] == 9998  # one is slower


@given(st.lists(latencies, min_size=1, max_size=6))
def test_a_band_reaches_as_far_as_its_shortest_run(runs: list[list[int]]) -> None:
    curves = [percentile_curve(sorted(run)) for run in runs]
    band = over_repeats(curves)
    known = [curve for curve in curves if curve]
    assert (band is None) == (not known)
    if band:
        assert len(band.middle) == min(map(len, known))
        assert band.runs == len(known)
        points = zip(band.low, band.middle, band.high, strict=True)
        assert all(low <= middle <= high for low, middle, high in points)
        assert band.at(2.0) == (band.middle[0], band.low[0], band.high[0])
        assert band.at(STEPS[-1]) is None


@given(st.lists(st.floats(0, 100), max_size=20), st.floats(0.5, 5))
def test_labels_find_room_in_their_order(wished: list[float], gap: float) -> None:
    placed = spread_labels(wished, gap)
    order = sorted(range(len(wished)), key=lambda i: wished[i])
    tops = [placed[i] for i in order]
    assert all(b - a >= gap - 1e-6 for a, b in pairwise(tops))
    assert all(gap / 2 - 1e-6 <= top <= 100 - gap / 2 + 1e-6 for top in tops)


def test_labels_with_room_stand_where_their_lines_end() -> None:
    assert spread_labels([80, 20, 50], 5) == [80, 20, 50]
    assert spread_labels([50, 50, 50], 4) == [46, 50, 54]


def test_columns_have_a_style_each_and_the_rest_are_grey() -> None:
    many = COLOURS * len(DASHES)
    styles = column_styles(map(str, range(many + 3)))
    assert len(set(styles.values())) == many + 1
    assert [styles[str(many + i)] for i in range(3)] == [GREY] * 3
    assert {styles[str(i)].dash for i in range(COLOURS)} == {""}


@pytest.mark.parametrize("greatest", [1.0, 3.0, 70.0, 1e5])
def test_latencies_that_differ_much_stand_on_a_logarithmic_axis(greatest: float) -> None:
    band = PercentileBand((0.9, 0.95), (0.95, 0.97), (1.0, greatest), 2)
    chart = percentile_chart("short", {"rr": band, "lc": band}, column_styles(["rr", "lc"]))
    assert 2 <= len(chart.y_ticks) <= 10
    assert [place for place, _ in chart.y_ticks] == sorted({place for place, _ in chart.y_ticks})
    assert (chart.y_ticks[0][1] == "0 ms") == (greatest < 30)
    assert {line.label for line in chart.lines} == {"rr", "lc"}
    assert chart.headers == ["50 %"]
    assert all(line.band for line in chart.lines)


@pytest.mark.parametrize(("columns", "repeats"), [(2, 3), (FEW + 1, 1)])
def test_the_page_has_a_chart_a_class_and_the_same_in_words(
    tmp_path: Path, columns: int, repeats: int
) -> None:
    names = [f"c{i}" for i in range(columns)]
    entries = ", ".join(f"{{label: {name}, scheduler: rr}}" for name in names)
    text = re.sub(r"(?s)expect:.*", "", SCENARIO.replace("[rr, lc]", f"[{entries}]"))
    recording = read(
        write_skew(tmp_path / "run", schedulers=tuple(names), repeats=repeats, scenario_text=text)
    )
    found = results(recording, text)
    page = html_report.render(found, recording)
    section = page[page.index("<h2>Latency by percentile") :]
    section = section[: section.index("</section>")]
    assert re.findall(r"<h3>(\w+)</h3>", section) == ["long", "short"]
    assert section.count('class="line"') == 2 * columns
    assert section.count('class="band"') == (2 * columns if repeats > 1 else 0)
    assert ("columns few" in section) == (columns <= FEW)
    assert ("median over the repeats, bands least to greatest" in section) == (repeats > 1)
    # Ten long requests support 90 %, a hundred short ones 99 %.
    long, short = section.split("<figure")[1:]
    assert "99 %" not in long.split("<table")[1]
    row = short[short.index('<th scope="row">c0') :]
    cells = re.findall(r'<td class="n">([^<]+)<', row[: row.index("</tr>")])
    known = found.schedulers[0].traffic["short"].latency_ms["p99"]
    assert known is not None
    assert len(cells) == 3
    assert cells[-1].startswith(f"{known.median:.2f} ")
    for name in names:
        assert f"{name} 50 % " in short.split('aria-label="')[1]
