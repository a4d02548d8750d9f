"""The charts of columns side by side in a browser: their room, their labels, and picking by key."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ipvsload.record.reader import Recording, read
from ipvsload.record.request_table import RequestTable
from ipvsload.report.html import html_report
from tests.full_servers_recording import write_full_servers
from tests.locust_plugin.browser import Browser, browser
from tests.report.rendering import results
from tests.report.test_heat_map import many_servers

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


def page(directory: Path) -> Path:
    """A report with COLUMNS columns, two repeats each, of servers with a capacity."""
    recording = read(write_full_servers(directory / "run", servers=2, seconds=0.3))
    known = results(recording, recording.scenario_text or "")
    names = [*(f"column-{i}" for i in range(COLUMNS - 1)), LONG]
    recorded, runs = [], []
    for at in range(2 * COLUMNS):
        one = recording.runs[at % 2]
        recorded.append(replace(one, number=at + 1, repeat=1 + at // COLUMNS))
        later = [r._replace(latency_us=r.latency_us + 9 * at) for r in one.requests]
        recorded[-1].requests = RequestTable.of(at + 1, later)
        label = names[at % COLUMNS]
        runs.append(
            replace(known.runs[at % 2], number=at + 1, repeat=1 + at // COLUMNS, label=label)
        )
    columns = tuple(replace(known.schedulers[i % 2], label=name) for i, name in enumerate(names))
    path = directory / "report.html"
    path.write_text(
        html_report.render(
            replace(known, runs=tuple(runs), schedulers=columns),
            replace(recording, runs=tuple(recorded)),
        )
    )
    return path


def test_the_charts_have_room_and_columns_can_be_picked(window: Browser, tmp_path: Path) -> None:
    path = page(tmp_path)
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
        assert window.text(".each .panel").strip() == ""  # until it is asked for
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


def test_many_servers_are_a_picture_in_light_and_dark(
    window: Browser, recording: Recording, tmp_path: Path
) -> None:
    changed = many_servers(recording, 110)
    path = tmp_path / "report.html"
    path.write_text(html_report.render(results(changed), changed))
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
