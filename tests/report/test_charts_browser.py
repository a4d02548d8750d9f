"""The charts of columns side by side in a browser: their room, their labels, and picking by key."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ipvsload.record.reader import Recording, read
from ipvsload.report.html import html_report
from tests.full_servers_recording import write_full_servers
from tests.locust_plugin.browser import Browser, browser
from tests.report.rendering import results

pytestmark = pytest.mark.programs

COLUMNS = 13
LONG = "lblcr-persistent-300-s-with-a-long-name-to-be-cut"

_OUTSIDE = """
const wide = document.documentElement.clientWidth + 1;
return [...document.querySelectorAll(".latencies *, .courses *, .sorted *, .split *")]
  .filter((e) => !e.closest(".spoken") && !e.parentElement.closest(".scroll"))
  .map((e) => [e, e.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.right > wide || box.left < -1))
  .map(([e]) => `${e.tagName}.${e.getAttribute("class")}`);
"""
_LABELS = """
return [...document.querySelector(".columns").querySelectorAll(".name")]
  .map((name) => name.getBoundingClientRect()).map((box) => [box.top, box.bottom]);
"""
_OPACITY = """
const one = [...document.querySelectorAll(`.columns path.${arguments[0]}`)]
  .filter((path) => path.dataset.column === arguments[1]);
return one.map((path) => Number(getComputedStyle(path).opacity));
"""


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def page(directory: Path, servers: int, columns: int) -> Path:
    """A report with so many columns, two repeats each, of servers with a capacity."""
    recording = read(write_full_servers(directory / "run", servers=servers, seconds=0.5))
    names = [f"column-{i}" for i in range(columns - 1)] + [LONG]
    runs = []
    for number in range(1, 2 * columns + 1):
        run = replace(
            recording.runs[number % 2],
            number=number,
            given_label=names[(number - 1) % columns],
            repeat=1 + (number - 1) // columns,
        )
        run.requests = [r._replace(latency_us=r.latency_us + 9 * number) for r in run.requests]
        runs.append(run)
    many = Recording(directory, recording.header, recording.scenario_text, tuple(runs), ())
    path = directory / "report.html"
    path.write_text(html_report.render(results(many, recording.scenario_text or ""), many))
    return path


def test_the_charts_have_room_and_columns_can_be_picked(window: Browser, tmp_path: Path) -> None:
    path = page(tmp_path, 4, COLUMNS)
    for width, scheme in ((390, "dark"), (1280, "light"), (1920, "dark")):
        window.size(width, 900, phone=width < 600)
        window.light(scheme)
        window.open(f"file://{path}")
        assert window.run("return document.documentElement.scrollWidth") <= width
        assert window.run(_OUTSIDE) == []
        boxes = window.run(_LABELS)
        assert len(boxes) == COLUMNS
        assert all(above[1] <= below[0] + 0.5 for above, below in pairwise(boxes))
        assert len(window.run("return [...document.querySelectorAll('.small svg')]")) == 3 * COLUMNS
        assert window.text(".each .panel") == ""  # until it is asked for
        window.run("document.querySelector('.columns').scrollIntoView()")
        window.picture(f"charts-{width}-{scheme}")
    # The last page is still open. No band is shown with so many columns until one is picked.
    assert window.run(_OPACITY, "band", "column-3") == [0]
    window.run("document.querySelector('.name[data-column=column-3]').focus()")
    window.press(" ")
    assert window.run(_OPACITY, "band", "column-3")[0] > 0.1
    assert window.run(_OPACITY, "line", "column-3") == [1]
    assert window.run(_OPACITY, "line", "column-4")[0] < 0.3
    pressed = "return document.querySelector('.name[data-column=column-3]').ariaPressed"
    assert window.run(pressed) == "true"
    window.press("\ue00c")  # Escape
    assert window.run(pressed) == "false"
    assert window.run(_OPACITY, "line", "column-4") == [1]
    # The panels are a key away, and so are the figures.
    window.run("document.querySelector('.each summary').focus()")
    window.press("\ue007")  # Enter
    assert "column-0" in window.text(".each .panel h3")
    window.run("document.querySelector('.columns summary').focus()")
    window.press("\ue007")
    assert "99 %" in window.text(".columns table thead")
    assert window.complaints() == []


def test_many_servers_are_a_picture_in_light_and_dark(window: Browser, tmp_path: Path) -> None:
    path = page(tmp_path, 110, 2)
    for width, scheme in ((390, "light"), (1280, "dark")):
        window.size(width, 900, phone=width < 600)
        window.light(scheme)
        window.open(f"file://{path}")
        assert window.run("return document.documentElement.scrollWidth") <= width
        assert window.run(_OUTSIDE) == []
        sizes = window.run(
            "return [...document.querySelectorAll('img.heat')]"
            ".map((one) => [one.naturalWidth, one.naturalHeight, one.clientHeight > 100])"
        )
        assert sizes == [[100, 110, True]] * 2
        assert window.text(".sorted h2") == "How even the load is"
        window.run("document.querySelector('.courses').scrollIntoView()")
        window.picture(f"many-servers-{width}-{scheme}")
    assert window.complaints() == []
