"""report.html in a browser: whatever is wider than its place says so, at every width."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ipvsload.record.reader import Recording
from ipvsload.report.html import html_report
from ipvsload.results.mismatches import mismatches
from ipvsload.results.prediction import Prediction
from tests.locust_plugin.browser import Browser, browser
from tests.report.decided import decided
from tests.report.rendering import results

pytestmark = pytest.mark.programs

WIDTHS = (390, 1280, 1920)
LONG = "[2001:db8:1234:5678:9abc:def0:1234:5678]:30080"
NAMED = "lblcr, persistent 300 s, sh-fallback, sh-port, conn_reuse_mode 0"

OUTSIDE = """
const wide = document.documentElement.clientWidth + 1;
return [...document.querySelectorAll("main *")]
  .filter((e) => !e.closest(".spoken") && !e.parentElement.closest(".scroll"))
  .map((e) => [e, e.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.right > wide || box.left < -1))
  .map(([e]) => `${e.tagName}.${e.className}`);
"""


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module", params=[2, 4, 10])
def page(
    recording: Recording, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[Path, int]:
    """A report with so many columns, of long names."""
    found = results(recording)
    columns = (found.schedulers * 5)[: request.param]
    columns = (*columns[:-1], replace(columns[-1], label=NAMED))
    wrong = (one for one in decided("wlc", 9, (2, 3), frozenset({3})) if one.verdict != "matched")
    prediction = Prediction(9, 8, 0, 1, True, mismatches(wrong, "wlc", 256))
    runs = tuple(
        replace(
            run,
            servers=tuple(replace(s, address=LONG) for s in run.servers),
            prediction=prediction if run.number == 1 else None,
        )
        for run in found.runs
    )
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html_report.render(replace(found, schedulers=columns, runs=runs), recording))
    return path, request.param


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_without_a_sign(window: Browser, page: tuple[Path, int], width: int) -> None:
    path, columns = page
    window.size(width, 900, phone=width < 600)
    window.open(f"file://{path}")
    assert window.run("return document.documentElement.scrollWidth") <= width
    assert window.run(OUTSIDE) == []
    assert "that are not the model" in window.text("section:has(.choice) h2")
    hidden = window.run(
        "const s = document.querySelector('section.wide .scroll');"
        "return s.scrollWidth - s.clientWidth"
    )
    if width == 390:
        assert hidden > 0
    if width == 1920 and columns < 10:
        assert hidden == 0
    # The shades lie still, and their covers go with what is scrolled.
    attachment = window.run(
        "return getComputedStyle(document.querySelector('.scroll')).backgroundAttachment"
    )
    assert attachment == "local, local, scroll, scroll"
    window.picture(f"report-{columns}-columns-{width}")
    if hidden:
        window.run("document.querySelector('section.wide .scroll').focus()")
        window.press("\ue014")  # the right arrow
        window.until(
            lambda: window.run("return document.querySelector('section.wide .scroll').scrollLeft")
        )


def test_the_labels_of_a_table_stay_when_it_is_scrolled(
    window: Browser, page: tuple[Path, int]
) -> None:
    window.size(390, 900, phone=True)
    window.open(f"file://{page[0]}")
    place = "document.querySelector('.figures tbody th[scope=row]').getBoundingClientRect().left"
    before = window.run(f"return {place}")
    window.run("document.querySelector('section.wide .scroll').scrollLeft = 60")
    assert window.run(f"return {place}") == before


def test_bars_of_a_class_begin_under_each_other(window: Browser, page: tuple[Path, int]) -> None:
    window.size(1280, 900)
    window.open(f"file://{page[0]}")
    lefts = window.run(
        "return [...document.querySelector('.split').querySelectorAll('.bar:not(.slight)')]"
        ".map((bar) => Math.round(bar.getBoundingClientRect().left))"
    )
    assert len(lefts) == page[1]
    assert len(set(lefts)) == 1


def test_the_crosshair_reads_nothing_in_a_hole(
    window: Browser, recording: Recording, tmp_path: Path
) -> None:
    run = replace(recording.runs[0])
    run.samples = run.samples[:20] + run.samples[26:]
    changed = replace(recording, runs=(run,))
    path = tmp_path / "report.html"
    path.write_text(html_report.render(results(changed), changed))
    window.size(1280, 900)
    window.open(f"file://{path}")
    window.run("document.querySelector('.panel').focus()")
    read = "return document.querySelector('.panel output[data-name=\"server 1\"]').textContent"
    seen = []
    for _ in range(100):
        window.press("\ue014")
        seen.append(window.run(read))
    hole = [place for place, text in enumerate(seen) if not text]
    assert 4 <= len(hole) <= 20
    assert seen[hole[0] - 1]
    assert seen[hole[-1] + 1 : hole[-1] + 2]


def test_on_paper_the_table_is_as_wide_as_the_page(window: Browser, page: tuple[Path, int]) -> None:
    window.size(718, 900)  # A4 less its margins
    window.open(f"file://{page[0]}")
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    right = window.run("return document.querySelector('.figures').getBoundingClientRect().right")
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert right <= 718
