"""What the page's browser tests share: a window, and ways to read what is in it."""

from collections.abc import Iterator

import pytest

from tests.locust_plugin.browser import Browser, browser
from tests.locust_plugin.page_process import Served

LIGHT = {"server 1": "#0072b2", "server 2": "#e69f00", "Long": "#aa3377", "Short": "#117766"}
DARK = {"server 1": "#4da6e8", "server 2": "#f0b429", "Long": "#ee7bb5", "Short": "#4fd0b8"}
NOTHING = "\N{EN DASH}"
CHARTS = {
    name: f"#board figure:nth-of-type({n})"
    for n, name in enumerate(
        ("active", "busy", "queue", "inactive", "new", "rate", "latency", "queue time"), 1
    )
}


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture
def look(window: Browser) -> Iterator[Browser]:
    """The window, of a desktop's size and in the light; its console stays silent."""
    window.size(1440, 1000)
    window.light("light")
    window.complaints()
    yield window
    # Chromium complains of a server that is gone or refuses, which is asked for here.
    asked_for = ("net::ERR", "409 (CONFLICT)")
    assert [c for c in window.complaints() if not any(text in c for text in asked_for)] == []
    window.open("about:blank")


def open_page(look: Browser, serving: Served, fragment: str = "") -> None:
    look.open("about:blank")
    look.open(f"{serving.url}/ipvs{fragment}")
    look.until(lambda: look.text("#elapsed"))
    look.until(lambda: look.text(f"{CHARTS['active']} output"))


def entries(look: Browser, chart: str) -> dict[str, str]:
    """Names and values of a chart's legend."""
    texts = look.run(
        "return [...document.querySelectorAll(arguments[0])]"
        ".filter((li) => li.querySelector('output'))"
        ".map((li) => [li.querySelector('span').textContent, li.querySelector('output').value])",
        f"{CHARTS[chart]} .legend li",
    )
    return dict(texts)


def drawn(look: Browser, colours: dict[str, str]) -> None:
    for chart, names in (("active", ("server 1", "server 2")), ("rate", ("Long", "Short"))):
        pixels = look.colours(f"{CHARTS[chart]} canvas.lines")
        for name in names:
            assert pixels.get(colours[name], 0) > 100, (chart, name)
    for chart in ("inactive", "new", "latency"):
        assert len(look.colours(f"{CHARTS[chart]} canvas.lines")) > 1, chart
