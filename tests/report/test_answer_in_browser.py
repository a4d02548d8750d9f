"""The first screen of report.html in a browser: each width, light and dark, paper, keys."""

import base64
from collections.abc import Iterator

import pytest

from ipvsload.record.reader import read
from ipvsload.report.html import html_report
from tests.locust_plugin.browser import Browser, browser
from tests.report.compared import compared
from tests.report.rendering import results
from tests.report.test_report_browser import OUTSIDE
from tests.skew_recording import write_skew

pytestmark = pytest.mark.programs

PAPER = 718  # A4 less its margins, in CSS pixels
OTHERS = {"lc": 60.0, "wlc": 100.0, "sed": 130.0, "wrr-with-a-very-long-name-of-a-variant": 102.0}
TAB, RIGHT, ENTER = "\ue004", "\ue014", "\ue007"

_COLOURS = """
const [data, done] = arguments;
const picture = new Image();
picture.onload = () => {
  const canvas = document.createElement("canvas");
  canvas.width = picture.width; canvas.height = picture.height;
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data, counts = {};
  for (let i = 0; i < pixels.length; i += 4) {
    const colour = `rgb(${pixels[i]}, ${pixels[i + 1]}, ${pixels[i + 2]})`;
    counts[colour] = (counts[colour] ?? 0) + 1;
  }
  done(counts);
};
picture.src = "data:image/png;base64," + data;
"""


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("compared")
    recording = read(write_skew(folder))
    medians = {"rr": 100.0, **OTHERS}
    found = compared(
        results(recording),
        {"latency_p95{class=short}": medians, "latency_p95{class=long}": medians},
        repeats=12,
    )
    path = folder / "report.html"
    path.write_text(html_report.render(found, recording))
    return f"file://{path}"


def pixels(window: Browser, selector: str, name: str) -> dict[str, int]:
    """How many pixels of an element have which colour."""
    box = window.run(
        "const b = document.querySelector(arguments[0]).getBoundingClientRect();"
        "return {x: b.x + scrollX, y: b.y + scrollY, width: b.width, height: b.height, scale: 1};",
        selector,
    )
    shot = window.driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": box}
    )["data"]
    window.picture(name).write_bytes(base64.b64decode(shot))
    found: dict[str, int] = window.driver.execute_async_script(_COLOURS, shot)
    return found


def colour(window: Browser, variable: str) -> str:
    found: str = window.run(
        "const probe = document.body.appendChild(document.createElement('i'));"
        "probe.style.color = `var(${arguments[0]})`;"
        "const found = getComputedStyle(probe).color; probe.remove(); return found;",
        variable,
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1280, 1500, 1920])
def test_the_answer_fits_and_is_drawn(window: Browser, page: str, width: int, scheme: str) -> None:
    window.size(width, 900, phone=width < 600)
    window.light(scheme)
    window.open(page)
    assert window.run("return document.documentElement.scrollWidth") <= width
    assert window.run(OUTSIDE) == []
    assert window.run("return performance.getEntriesByType('resource').length") == 0
    assert window.complaints() == []
    # The answer is on the first screen, and so are the words of its first plot.
    assert "take lc" in window.text(".said")
    assert window.run("return document.querySelector('.forest').getBoundingClientRect().top") < 620
    words = window.text(".forest .counts")
    assert all(word in words for word in ("baseline", "quicker", "slower", "equivalent"))
    # No row's text lies on another one's, and each mark lies within its plot.
    assert (
        window.run(
            """
        return [...document.querySelectorAll(".forest .mark")].filter((mark) => {
          const at = mark.getBoundingClientRect();
          const row = mark.closest(".row").getBoundingClientRect();
          return at.left < row.left - 8 || at.right > row.right + 8;
        }).length
        """
        )
        == 0
    )
    # A table is no wider than its card.
    assert not window.run(
        "return [...document.querySelectorAll('.forest')].filter((card) =>"
        " card.querySelector('table').getBoundingClientRect().right >"
        " card.getBoundingClientRect().right).length"
    )
    found = pixels(window, ".forest", f"answer-{width}-{scheme}")
    for verdict in ("--good", "--worse", "--equal", "--band"):
        assert found.get(colour(window, verdict), 0) >= 20, verdict


def test_each_plot_has_a_text_and_each_text_its_place(window: Browser, page: str) -> None:
    window.size(1280, 900)
    window.light("light")
    window.open(page)
    assert (
        window.run(
            "return [...document.querySelectorAll('.answer svg')].filter("
            "(s) => !s.closest('[aria-hidden]') && !s.parentElement.closest('svg')"
            " && !s.querySelector('title')?.textContent).length"
        )
        == 0
    )
    names = window.run(
        "return [...document.querySelectorAll('.forest [role=img] title')]"
        ".map((title) => title.textContent)"
    )
    assert len(names) == 2 * len(OTHERS)
    assert any("lc is quicker than rr: short p95" in name for name in names)
    assert "short p95" in window.text(".forest caption")
    assert (
        window.run("return document.querySelectorAll('.forest tbody th[scope=row]').length") == 10
    )


def test_the_pairs_are_opened_and_scrolled_by_keys(window: Browser, page: str) -> None:
    window.size(390, 900, phone=True)
    window.light("light")
    window.open(page)
    assert not window.text(".matrix").strip()
    for _ in range(10):
        window.press(TAB)
        if window.run("return document.activeElement.matches('.all-pairs summary')"):
            break
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert window.run(outline) != "none"
    window.press(ENTER)
    assert "quicker" in window.text(".matrix")
    assert window.run("return document.documentElement.scrollWidth") <= 390
    window.press(TAB)
    assert window.run("return document.activeElement.matches('.all-pairs .scroll')")
    assert window.run(outline) != "none"
    window.press(RIGHT)
    window.until(
        lambda: window.run("return document.querySelector('.all-pairs .scroll').scrollLeft")
    )


def test_on_paper_all_is_there_and_nothing_is_cut(window: Browser, page: str) -> None:
    window.size(PAPER, 900)
    window.light("light")
    window.open(page)
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert window.run("return document.documentElement.scrollWidth") <= PAPER
        assert window.run(OUTSIDE) == []
        rights = window.run(
            "return [...document.querySelectorAll('.forest table, .matrix, .expectations')]"
            ".map((t) => t.getBoundingClientRect().right)"
        )
        assert max(rights) <= PAPER
        # Nobody can open it on paper.
        assert window.run(
            "const matrix = document.querySelector('.matrix');"
            "return matrix.checkVisibility({contentVisibilityAuto: true})"
            " && matrix.getBoundingClientRect().height > 100"
        )
        found = pixels(window, ".forest", "answer-paper")
        assert found.get(colour(window, "--good"), 0) >= 20
        assert found.get(colour(window, "--band"), 0) >= 20
    finally:
        window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
