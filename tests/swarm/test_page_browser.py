"""The page as people have it: in a browser, with eyes and hands."""

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.swarm.browser import Browser, browser, installed
from tests.swarm.serving import Served, served

pytestmark = installed

LIGHT = {"server 1": "#0072b2", "server 2": "#e69f00", "Long": "#aa3377", "Short": "#117766"}
DARK = {"server 1": "#4da6e8", "server 2": "#f0b429", "Long": "#ee7bb5", "Short": "#4fd0b8"}
NOTHING = "\N{EN DASH}"
CHARTS = {
    name: f"#board figure:nth-of-type({n})"
    for n, name in enumerate(("active", "inactive", "new", "rate", "latency"), 1)
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


@pytest.fixture(scope="module")
def two() -> Iterator[Served]:
    """Two servers; the test has run for a while."""
    with served("--past", "45") as serving:
        yield serving


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
        "return [...document.querySelectorAll('.cursor')].map((e) => !e.hidden && e.offsetLeft)"
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


def say(look: Browser, words: str) -> None:
    look.until(lambda: words in look.text("#said"))


def number(look: Browser, selector: str, value: object) -> None:
    look.find(selector).send_keys(Keys.CONTROL, "a", Keys.NULL, str(value))


def test_controls_change_the_balancer_and_the_charts_show_it(look: Browser) -> None:
    with served("--past", "12") as serving:
        open_page(look, serving)
        share = look.find(".share .bar").get_attribute("aria-label")
        look.find("[data-verb=scheduler] select").send_keys("lc")
        look.find("[data-verb=scheduler] button").click()
        say(look, "Done: scheduler lc")
        began = time.monotonic()
        look.until(lambda: look.text("#scheduler") == "lc")
        assert time.monotonic() - began < 1.5
        assert "scheduler lc" in look.text("#marks")

        number(look, "#servers li:nth-child(1) input", 0)
        look.press(Keys.ENTER)
        say(look, "Done: server 1: weight 0")
        look.run("document.querySelector('#table').scrollIntoView()")
        look.until(lambda: "198.51.100.11:80             0" in look.text("#table"))

        look.find("[data-by='1']").click()
        say(look, "Done: scale to 3")
        look.until(lambda: "server 3" in entries(look, "active"))
        look.until(lambda: look.find("[name=servers]").get_attribute("value") == "3")
        assert look.text("#servers li:nth-child(3) .who").startswith("server 3")

        number(look, "[name=requests]", 7)
        number(look, "[name=seconds]", 30)
        look.press(Keys.ENTER)
        say(look, "Done: burst of 7 x 30 s")
        look.until(
            lambda: sum(int(v) for v in entries(look, "active").values() if v != NOTHING) == 17
        )

        number(look, "#mix label:nth-child(1) [type=number]", 4)
        look.find("[data-verb=mix] > fieldset > button").click()
        say(look, "Done: mix {'Long': 4, 'Short': 9}")
        look.find("#servers li:nth-child(2) .kill").click()
        say(look, "Done: kill server 2")
        # Long requests are held; the split of new connections follows the scheduler.
        look.until(lambda: look.find(".share .bar").get_attribute("aria-label") != share)
        look.picture("changed")

        look.find("[data-verb=scheduler] select").send_keys("twos")
        look.find("[data-verb=scheduler] button").click()
        say(look, "Refused: this kernel has no scheduler twos")
        # What somebody has chosen is not taken out of their hands.
        time.sleep(0.6)
        assert look.find("[data-verb=scheduler] select").get_attribute("value") == "twos"
        number(look, "[name=requests]", 99_999)
        look.press(Keys.ENTER)
        assert look.run("return document.querySelector('[name=requests]').validity.rangeOverflow")


def test_what_cannot_be_had_says_why(look: Browser) -> None:
    with served("--servers", "9", "--past", "10") as serving:
        open_page(look, serving)
        kill = look.find("#servers li:nth-child(1) .kill")
        assert not kill.is_enabled()
        assert kill.get_attribute("title") == "this balancer cannot do that"
        serving.tell("end 1 of 2 expectations did not hold in 1 run")
        look.until(lambda: "did not hold" in look.text("#state"))
        assert "bad" in look.find("#state").get_attribute("class")
        look.until(lambda: "No test is running" in look.text("#why"))
        assert not look.find("[data-verb=scheduler] button").is_enabled()
        elapsed = look.text("#elapsed")
        time.sleep(1.1)
        assert look.text("#elapsed") == elapsed


def test_before_any_test_it_says_what_to_do(look: Browser) -> None:
    with served("--idle") as serving:
        look.open(f"{serving.url}/ipvs")
        look.until(lambda: look.text("#table"))
        look.picture("before")
        assert "Start one on Locust's page" in look.text("#empty")
        assert look.text("#board") == ""
        assert not look.find("#controls").is_displayed()
        serving.tell("begin")
        look.until(lambda: look.text("#elapsed"))
        assert look.text("#empty") == ""
        look.find(".top .button").click()
        look.until(lambda: look.run("return location.pathname") == "/")
        look.find("nav a").click()
        look.until(lambda: look.text("#elapsed"))


def test_the_sidecars_end_and_missing_samples_are_said(look: Browser) -> None:
    with served("--past", "20") as serving:
        open_page(look, serving)
        serving.tell("silence")
        look.until(lambda: "No sample of the kernel's table for" in look.text("#stale"))
        serving.tell("trouble the sidecar ended: SIGKILL")
        look.until(lambda: look.text("#trouble") == "The sidecar ended: SIGKILL")
        assert look.find("#trouble").get_attribute("role") == "alert"
        look.until(lambda: look.text("#stale") == "")
        look.picture("trouble")
        serving.tell("trouble")
        look.until(lambda: look.text("#trouble") == "")


def test_locust_gone_and_back_with_another_test(look: Browser) -> None:
    with served("--past", "20") as serving:
        open_page(look, serving)
        port = serving.url.rpartition(":")[2]
    look.until(lambda: "Locust does not answer since" in look.text("#lost"))
    look.picture("gone")
    with served("--past", "3", "--port", port):
        look.until(lambda: look.text("#lost") == "")
        look.until(lambda: look.text("#elapsed") in ("0:03", "0:04", "0:05", "0:06"))
        assert "start long" in look.text("#marks")
        assert look.text("#marks").count("start") <= 2


def test_a_new_test_in_mid_view_begins_anew(look: Browser) -> None:
    with served("--past", "30") as serving:
        open_page(look, serving)
        assert "start short" in look.text("#marks")
        serving.tell("begin")
        look.until(lambda: look.text("#elapsed") in ("0:00", "0:01"))
        look.until(lambda: look.text("#marks") == "start long at 0:00")
        look.until(lambda: set(entries(look, "active")) == {"server 1"})


def test_two_browsers_and_a_reload_see_the_same(look: Browser, two: Served) -> None:
    """One follows from the beginning, the other comes now: the same past."""
    open_page(look, two, "#all")
    time.sleep(1.5)
    first = look.driver.current_window_handle
    script = (
        "document.querySelector('#board').focus();"
        "document.querySelector('#board')"
        ".dispatchEvent(new KeyboardEvent('keydown', { key: 'Home' }))"
    )

    def past() -> Any:
        # At fixed times: the crosshair stands at a part of a window that grows.
        look.run(script)
        return {chart: entries(look, chart) for chart in ("active", "inactive", "rate")}

    before = past()
    look.driver.switch_to.new_window("window")
    look.size(1440, 1000)
    open_page(look, two, "#all")
    assert past() == before
    look.driver.close()
    look.driver.switch_to.window(first)
    look.driver.refresh()
    look.until(lambda: look.text(f"{CHARTS['active']} output"))
    assert past() == before


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
        slow = look.run(
            """
            return new Promise((done) => {
              let last = performance.now(), worst = 0, frames = 0;
              const step = (now) => {
                worst = Math.max(worst, now - last); last = now; frames += 1;
                if (frames < 120) requestAnimationFrame(step); else done(worst);
              };
              requestAnimationFrame(step);
            });
            """
        )
        assert slow < 500, "a frame took that many ms, with whatever else ran beside it"
        look.size(360, 740, phone=True)
        look.picture("fifty-phone")
        no_sideways(look)


def test_a_thousand_servers_do_not_kill_it(look: Browser) -> None:
    with served("--servers", "1000", "--past", "10") as serving:
        open_page(look, serving)
        look.until(lambda: "and 997 more" in look.text(f"{CHARTS['active']} .legend"), 20)
        before = look.text("#elapsed")
        look.until(lambda: look.text("#elapsed") != before, 20)


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
                    "return import(`${location.pathname}/assets/main.js`).then(({ store }) =>"
                    " [store.table, store.fresh, store.traffic].flatMap((s) =>"
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


def test_locusts_own_page_has_a_tab_with_the_counts(look: Browser) -> None:
    with served("--past", "20") as serving:
        look.open(f"{serving.url}/")
        look.until(lambda: look.driver.find_elements("css selector", "[type=submit]"))
        look.find("[type=submit]").click()
        tab = look.until(
            lambda: [e for e in look.driver.find_elements("css selector", "[role=tab]")
                     if e.text.upper() == "IPVS"]
        )  # fmt: skip
        tab[0].click()
        look.until(lambda: "198.51.100.12:80" in look.text("tbody"))
        assert "ActiveConn" in look.text("thead").replace(" ", "")
        look.picture("locust-tab")
