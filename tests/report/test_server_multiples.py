"""Small charts of servers over time, one a column; and bars beside weights and the model."""

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ipvsload.record.format import OccupancySample, ServerOccupancy
from ipvsload.record.reader import RecordedRun, Recording, read
from ipvsload.report.html import charts, html_report, svg
from ipvsload.report.html.chart_series import Point, busy_means
from ipvsload.report.html.share_bars import (
    common_weight_bars,
    connection_bars,
    share_segments,
    weight_bars,
    with_weights,
)
from ipvsload.report.html.split_bars import SplitBar
from ipvsload.results.prediction import Prediction
from ipvsload.statistics.median_range import MedianRange
from tests.full_servers_recording import write_full_servers
from tests.report.rendering import results
from tests.skew_recording import write_skew

COLOURS = {1: "--s0", 2: "--s1"}


def section(page: str) -> str:
    return page[page.index("<h2>Servers over time") : page.index("Each run in detail")]


def test_each_column_has_a_small_chart_of_its_first_valid_run(tmp_path: Path) -> None:
    recording = read(write_skew(tmp_path / "run", repeats=2))
    found = results(recording)
    first = replace(found.runs[0], valid=False)
    page = html_report.render(replace(found, runs=(first, *found.runs[1:])), recording)
    courses = section(page)
    assert re.findall(r"<h4>(\w+)</h4>( <small>[^<]+)?", courses) == [
        ("rr", " <small>repeat 2"), ("lc", ""),
    ]  # fmt: skip
    assert courses.count("<svg") == 2
    assert courses.count("Active connections over") == 2
    assert "<li>start long</li>" in courses
    # Four steps, of which the numbers of those in the first 7 % of the axis have no room.
    assert courses.count('class="step"') == 2 * 4
    axes = re.findall(r'class="y" style="bottom: ([\d.]+)%" aria-hidden="true">(\w+)', courses)
    assert axes[: len(axes) // 2] == axes[len(axes) // 2 :]


def test_details_are_open_where_there_are_few_runs(recording: Recording, tmp_path: Path) -> None:
    page = html_report.render(results(recording), recording)
    assert "<details open><summary><h2>Each run in detail" in page
    more = read(write_skew(tmp_path / "run", repeats=2))
    page = html_report.render(results(more), more)
    assert "<details><summary><h2>Each run in detail" in page
    assert page.count('<article class="panel"') == 4


@pytest.mark.parametrize("servers", [2, 14])
def test_servers_with_a_capacity_show_utilisation_and_queues(tmp_path: Path, servers: int) -> None:
    recording = read(write_full_servers(tmp_path / "run", servers=servers, seconds=0.6))
    page = html_report.render(results(recording, recording.scenario_text or ""), recording)
    titles = re.findall(r"<h3>([A-Z][a-z ]+)", section(page))
    assert [title.strip() for title in titles] == [
        "Active connections", "Utilisation", "Queue length",
    ]  # fmt: skip
    utilisation = section(page).split("<h3>")[2]
    assert ">100 %<" in utilisation
    assert ('class="band"' in utilisation) == (servers > 12)


def test_means_of_busy_workers_are_the_growth_of_the_servers_own_count() -> None:
    # 2 workers at work for 0.1 s, idle for 0.1 s, then the server begins anew, with 1 at work.
    counts = [(0, 5_000), (100_000, 205_000), (200_000, 205_000), (300_000, 40_000)]
    run = RecordedRun(1)
    run.occupancy = [
        OccupancySample(1, t_us, (ServerOccupancy("a", 0, 0, 0, 0, busy_us),))
        for t_us, busy_us in counts
    ]
    (points,) = busy_means(run, 0.1).values()
    assert points == [(0.0, 2.0), (0.1, 0.0), (0.2, 0.4), (0.3, None)]
    (points,) = busy_means(run, 0.2).values()
    assert points == [(0.0, 1.0), (0.2, None)]


def test_bars_of_weights_are_their_parts(recording: Recording) -> None:
    one = results(recording).schedulers[0]
    assert [s.percent for bar in weight_bars(one, COLOURS) for s in bar.segments] == [50, 50]
    first, second = one.servers
    changed = replace(
        one, servers=(replace(first, weights=((3,),)), replace(second, weights=((1, 0),)))
    )
    bars = weight_bars(changed, COLOURS)
    assert [bar.label for bar in bars] == ["first weights", "last weights"]
    assert [[s.percent for s in bar.segments] for bar in bars] == [[75, 25], [100, 0]]
    unlike = replace(one, servers=(first, replace(second, weights=((1,), (2,)))))
    assert weight_bars(unlike, COLOURS) == ()
    assert common_weight_bars([one, one], COLOURS) == weight_bars(one, COLOURS)
    assert common_weight_bars([one, changed], COLOURS) == ()
    bar = SplitBar("rr", share_segments({1: 1, 2: 1}, COLOURS))
    assert with_weights([bar, bar], [one, one], COLOURS) == [bar, bar]
    assert [len(b.under) for b in with_weights([bar, bar], [one, changed], COLOURS)] == [1, 2]


def test_connections_stand_over_the_models_choices(recording: Recording) -> None:
    columns = results(recording).schedulers
    bare = [replace(c, servers=tuple(replace(s, predicted=None) for s in c.servers),
                    prediction=None) for c in columns]  # fmt: skip
    assert connection_bars(bare, COLOURS) == []
    told = [
        replace(c, servers=tuple(replace(s, predicted=MedianRange(3, 3, 3)) for s in c.servers))
        for c in bare
    ]
    bars = connection_bars(told, COLOURS)
    assert [[s.requests for s in bar.under[0].segments] for bar in bars] == [["3", "3"]] * 2
    itself = Prediction(9, 9, 0, 0, True, simulated=True)
    assert connection_bars([replace(c, prediction=itself) for c in told], COLOURS) == []


@pytest.mark.parametrize("servers", [2, 8, 24, 300])
def test_a_chart_stays_small_whatever_was_sampled(servers: int) -> None:
    addresses = [f"10.0.0.{i}:80" for i in range(servers)]
    noise = random.Random(1)
    points: dict[str, list[Point]] = {
        address: [(t / 100, noise.randrange(100)) for t in range(1000)] for address in addresses
    }
    curves = replace(charts.run_curves(RecordedRun(1), []), active=points, end=10.0)
    x, y = svg.Axis(0.0, 10.0), svg.Axis(0.0, 100.0)
    colours = charts.server_colours(servers, [1, 2, 3, 4, 5])
    plot = charts.server_plot(
        "Active connections", points, curves, x, y, addresses, colours, True, points
    )
    assert sum(len(layer.d) for layer in plot.layers) < 30_000
    assert {layer.name for layer in plot.layers} >= {f"server {n}" for n in range(1, 3)}
    small = charts.server_plot(
        "Active connections", points, curves, x, y, addresses, colours, True, {},
        buckets=charts.SMALL_BUCKETS, single=12,
    )  # fmt: skip
    assert sum(len(layer.d) for layer in small.layers) < 12_000
