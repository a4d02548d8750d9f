"""The page as people have it: in a browser, with eyes and hands."""

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.locust_plugin.browser import Browser
from tests.locust_plugin.browser_window import (
    CHARTS,
    DARK,
    LIGHT,
    NOTHING,
    drawn,
    entries,
    look,
    open_page,
    window,
)
from tests.locust_plugin.page_process import Served, served

pytestmark = pytest.mark.programs

__all__ = ["look", "window"]  # fixtures


@pytest.fixture(scope="module")
def two() -> Iterator[Served]:
    """Two servers; the test has run for a while."""
    with served("--past", "45") as serving:
        yield serving


def no_sideways(look: Browser) -> None:
    wide, inner = look.run("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= inner


@pytest.mark.parametrize(("scheme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_lines_are_drawn_in_both_lights(
    look: Browser, two: Served, scheme: str, colours: dict[str, str]
) -> None:
    look.light(scheme)
    open_page(look, two)
    look.until(lambda: look.text("#table"))
    look.picture(f"two-{scheme}")
    drawn(look, colours)
    assert set(entries(look, "active")) == {"server 1", "server 2"}
    assert sum(map(int, entries(look, "active").values())) == 10
    assert look.text("#scheduler") == "rr"
    assert look.text("#state") == "running"
    assert look.text("h1") == "skew"
    assert "198.51.100.12:80" in look.text("#table")
    assert look.text("#marks").startswith("start short at 0:05")
    for colour in ("rgb(251, 251, 250)", "rgb(17, 20, 24)"):
        dark = colour == "rgb(17, 20, 24)"
        shown = look.run("return getComputedStyle(document.body).backgroundColor")
        assert (shown == colour) == (dark == (scheme == "dark"))


def test_busy_workers_and_queues_stand_beside_active_connections(
    look: Browser, two: Served
) -> None:
    open_page(look, two)
    assert [look.text(CHARTS[name]) for name in ("busy", "queue", "queue time")] == ["", "", ""]
    with served("--past", "45", "--workers", "4") as full:
        open_page(look, full)
        look.picture("busy-workers")
        assert sum(map(int, entries(look, "active").values())) == 10
        look.until(lambda: sum(map(int, entries(look, "busy").values())) == 8)
        assert sum(map(int, entries(look, "queue").values())) == 2
        assert set(entries(look, "queue time")) == {"Long p50", "Short p50", "p95"}
        assert look.colours(f"{CHARTS['queue time']} canvas.lines").get(LIGHT["Long"], 0) > 50
        for chart in ("busy", "queue"):
            pixels = look.colours(f"{CHARTS[chart]} canvas.lines")
            assert pixels.get(LIGHT["server 1"], 0) > 100, chart
            active, other = (
                look.run("return document.querySelector(arguments[0]).clientWidth", selector)
                for selector in (f"{CHARTS['active']} .plot", f"{CHARTS[chart]} .plot")
            )
            assert active == other


def test_the_charts_go_on_by_themselves_and_the_light_can_change(
    look: Browser, two: Served
) -> None:
    open_page(look, two)
    before = look.text("#elapsed")
    pixels = look.colours(f"{CHARTS['rate']} canvas.lines")
    look.until(lambda: look.text("#elapsed") != before)
    look.until(lambda: look.colours(f"{CHARTS['rate']} canvas.lines") != pixels)
    look.light("dark")
    look.until(lambda: DARK["server 1"] in look.colours(f"{CHARTS['active']} canvas.lines"))


def test_nothing_comes_from_elsewhere(look: Browser, two: Served) -> None:
    open_page(look, two)
    names = look.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(names) > 8
    assert {name for name in names if not name.startswith(f"{two.url}/ipvs/")} == set()


def test_a_phone_needs_no_sideways_scrolling(look: Browser, two: Served) -> None:
    look.size(360, 740, phone=True)
    open_page(look, two)
    look.picture("phone")
    no_sideways(look)
    drawn(look, LIGHT)
    for selector in ("#controls button", "#controls input:not([type=range])", ".window label"):
        for height in look.run(
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.offsetHeight)",
            selector,
        ):
            assert height >= (24 if "label" in selector else 40), selector
    look.run("document.querySelector('#controls').scrollIntoView()")
    look.picture("phone-controls")


def test_the_crosshair_reads_all_charts_by_pointer(look: Browser, two: Served) -> None:
    open_page(look, two, "#all")
    plot = look.find(f"{CHARTS['inactive']} .plot")
    ActionChains(look.driver).move_to_element(plot).perform()
    assert look.text("#when").startswith("at 0:")
    shown = look.run(
        "return [...document.querySelectorAll('figure:not([hidden]) .cursor')]"
        ".map((e) => !e.hidden && e.offsetLeft)"
    )
    assert len(shown) == 5
    assert len(set(shown)) == 1
    assert shown[0]
    assert all(value != NOTHING for chart in CHARTS for value in entries(look, chart).values())
    ActionChains(look.driver).move_to_element(look.find("h1")).perform()
    assert look.text("#when") == ""


def test_everything_is_done_by_keyboard(look: Browser, two: Served) -> None:
    open_page(look, two, "#all")
    # The order of Tab is the order of the page.
    order = []
    for _ in range(40):
        look.press(Keys.TAB)
        order.append(
            look.run(
                "const e = document.activeElement;"
                "return e.ariaLabel ?? (e.textContent.trim() || e.name)"
            )
        )
        seen = look.run(
            "const e = document.activeElement, box = e.matches('.window input')"
            " ? e.nextElementSibling : e, style = getComputedStyle(box);"
            "return style.outlineStyle"
        )
        assert seen != "none", order[-1]
        if "kernel's table" in str(order[-1]):
            break
    wanted = ["To the controls", "Locust's page", "Charts.", "Switch", "One real server fewer"]
    wanted += ["Send", "Use this mix", "Set weight of server 1", "Kill server 2", "kernel's table"]
    places = [next(i for i, text in enumerate(order) if want in str(text)) for want in wanted]
    assert all(a < b for a, b in pairwise(places)), order

    look.run("document.querySelector('#board').focus()")
    look.press(*[Keys.ARROW_LEFT] * 10)
    at = look.text("#when")
    look.press(Keys.ARROW_LEFT)
    assert look.text("#when") != at
    look.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    spoken = "return document.querySelector('#reading').value"
    look.until(lambda: "ActiveConn: server 1" in look.run(spoken))
    overlay = look.colours(f"{CHARTS['active']} canvas.over")
    assert overlay.get(LIGHT["server 2"], 0) > 100
    look.press(Keys.HOME)
    assert look.text("#when").startswith("at 0:00.0")
    assert "1 start long" in look.text("#when")
    look.press(Keys.ESCAPE)
    assert look.text("#when") == ""


def test_the_window_is_chosen_and_kept(look: Browser, two: Served) -> None:
    open_page(look, two)
    look.run("document.querySelector('input[name=window]').focus()")
    look.press(Keys.ARROW_RIGHT)
    assert look.run("return location.hash") == "#120"
    look.driver.refresh()
    look.until(lambda: look.text("#elapsed"))
    assert look.run("return document.querySelector('input[name=window]:checked').value") == "120"


@pytest.fixture
def young() -> Iterator[Served]:
    """As `two`, just started: after two minutes a newcomer is not told of the first ones."""
    with served("--past", "45") as serving:
        yield serving


def test_two_browsers_and_a_reload_see_the_same(look: Browser, young: Served) -> None:
    """One follows for a while, the others come later: the same past."""
    script = """
        return import("./ipvs/assets/live_page.js").then(({ store }) => [
          store.head.now,
          ...[store.table, store.newConnections, store.traffic].map((series) =>
            [series.columns, series.rows].map((points) =>
              points.map(({ t, row, layout }) => [t, row, layout.keys]))),
          store.marks, store.test.split,
        ]);
    """

    def past() -> list[Any]:
        found: list[Any] = look.run(script)
        return found

    def until(now: int, found: list[Any]) -> list[Any]:
        """What was to be known then; the kernel's new connections come later."""
        return [
            [[point for point in points if point[0] <= now - 3000] for points in series]
            for series in found[1:4]
        ] + [found[4]]

    open_page(look, young)
    time.sleep(2)
    first, followed = look.driver.current_window_handle, past()
    assert all(len(rows) > 50 for _, rows in followed[1:4])
    look.driver.switch_to.new_window("window")
    look.size(1440, 1000)
    open_page(look, young)
    assert until(followed[0], past()) == until(followed[0], followed)
    look.driver.close()
    look.driver.switch_to.window(first)
    look.driver.refresh()
    look.until(lambda: look.text(f"{CHARTS['active']} output"))
    assert until(followed[0], past()) == until(followed[0], followed)


def test_fifty_servers_are_legible_and_smooth(look: Browser) -> None:
    with served("--servers", "50", "--past", "110") as serving:
        open_page(look, serving, "#120")
        names = entries(look, "inactive")
        assert len(names) == 3
        assert "and 47 more" in look.text(f"{CHARTS['inactive']} .legend")
        plot = look.find(f"{CHARTS['inactive']} .plot")
        # Near the upper lines, where the busiest are.
        ActionChains(look.driver).move_to_element_with_offset(plot, 0, -30).perform()
        look.picture("fifty")
        look.light("dark")
        time.sleep(0.4)
        look.picture("fifty-dark")
        assert look.run("return document.querySelectorAll('#servers li').length") == 50
        drawn = look.run(
            """
            return new Promise((done) => {
              let frames = 0;
              const step = () => {
                if (++frames < 120) requestAnimationFrame(step); else done(frames);
              };
              requestAnimationFrame(step);
            });
            """
        )
        assert drawn == 120
        look.size(360, 740, phone=True)
        look.picture("fifty-phone")
        no_sideways(look)


def test_a_thousand_servers_do_not_kill_it(look: Browser) -> None:
    with served("--servers", "1000", "--past", "10") as serving:
        open_page(look, serving)
        look.until(lambda: "and 997 more" in look.text(f"{CHARTS['active']} .legend"))
        before = look.text("#elapsed")
        look.until(lambda: look.text("#elapsed") != before)


def test_an_open_page_does_not_grow(look: Browser) -> None:
    """Ten minutes in a few seconds: the store is bounded."""
    with served("--past", "5") as serving:
        open_page(look, serving)
        sizes = []
        for _ in range(5):
            serving.tell("past 130")
            time.sleep(0.6)
            sizes.append(
                look.run(
                    "return import('./ipvs/assets/live_page.js').then(({ store }) =>"
                    " [store.table, store.newConnections, store.traffic].flatMap((s) =>"
                    " [s.rows.length, s.columns.length]))"
                )
            )
        assert max(sizes[-1]) < 1700
        assert sizes[-1][0] <= sizes[1][0] + 200


def test_who_wants_less_motion_gets_less(look: Browser, two: Served) -> None:
    look.light("light", calm=True)
    open_page(look, two)
    changes = look.run(
        """
        const canvas = document.querySelector("canvas.lines");
        return new Promise((done) => {
          let last = canvas.toDataURL(), changes = 0;
          const watch = setInterval(() => {
            const now = canvas.toDataURL();
            changes += now !== last; last = now;
          }, 100);
          setTimeout(() => { clearInterval(watch); done(changes); }, 3000);
        });
        """
    )
    assert 1 <= changes <= 4
