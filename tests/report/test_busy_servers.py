"""Reports of servers with a capacity: utilisation, queues, and latency as parts."""

import re
from pathlib import Path

import pytest

from ipvsload.record.reader import Recording, read
from ipvsload.report import markdown
from ipvsload.report.html import html_report
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario
from tests.full_servers_recording import write_full_servers
from tests.locust_plugin.browser import browser
from tests.report.rendering import printed, results

FIRST = ("queue at most", "utilisation", "in queue p95")
ROWS = (*FIRST, "busy at most", "sent late p99")
CHARTS = ("Busy workers", "Queue length")
Found = tuple[Recording, Results]


@pytest.fixture(scope="module", params=[2, 12])
def full(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Found:
    directory = tmp_path_factory.mktemp("full") / "run"
    recording = read(write_full_servers(directory, servers=request.param, seconds=0.6))
    return recording, evaluate(recording, parse_scenario(recording.scenario_text or "", "t.yaml"))


def test_every_report_has_the_rows(full: Found) -> None:
    recording, found = full
    for text in (markdown.render(found), html_report.render(found, recording)):
        for row in ROWS:
            assert row in text
    terminal = printed(found)
    for row in FIRST:
        assert row in terminal
    assert "sent late" not in terminal
    uses = [s.utilisation.median for s in found.schedulers[0].servers if s.utilisation]
    assert f"{max(uses):.0%}".replace("%", " %") in terminal


def test_charts_stand_on_the_time_line_of_active_connections(full: Found) -> None:
    page = html_report.render(full[1], full[0])
    titles = re.findall(r"<h4>([^<]+)</h4>", page)
    panels = " ".join(titles).split("Active connections")[1:]
    assert len(panels) == 2
    for panel in panels:
        assert panel.startswith(" Busy workers Queue length Inactive connections")


def test_bars_split_latency_on_one_scale(full: Found) -> None:
    page = html_report.render(full[1], full[0])
    bars = page.split("Where the time went")[1].split("</section>")[0]
    widths = [
        [float(width) for width in re.findall(r"seg \w+\" style=\"width: ([\d.]+)%", bar)]
        for bar in bars.split('class="bar"')[1:]
    ]
    assert {len(bar) for bar in widths} == {3}  # late, in queue, the rest
    sums = [sum(bar) for bar in widths]
    assert len(sums) == 4  # two schedulers, all and the slowest
    for pair in (sums[:2], sums[2:]):
        assert max(pair) == pytest.approx(100, abs=0.01)


def test_other_servers_have_none_of_it(recording: Recording) -> None:
    found = results(recording)
    page = html_report.render(found, recording)
    for text in (printed(found), markdown.render(found), page):
        for row in ROWS:
            assert row not in text
    assert "Where the time went" not in page
    assert not any(chart in page for chart in CHARTS)


@pytest.mark.programs
def test_nothing_is_cut_in_a_browser(full: Found, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(html_report.render(full[1], full[0]))
    with browser(tmp_path) as window:
        for width in (390, 1280, 1920):
            window.size(width, 900, phone=width < 600)
            window.open(f"file://{path}")
            assert window.run("return document.documentElement.scrollWidth") <= width
            assert window.text(".times .who") == "rr lc rr lc"
            lefts = window.run(
                "return [...document.querySelectorAll('.group:first-of-type .bar')]"
                ".map((bar) => bar.getBoundingClientRect().left)"
            )
            assert len(set(lefts)) == 1
            window.picture(f"busy-servers-{width}")
