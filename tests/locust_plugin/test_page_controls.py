"""The page's controls, and what it says when things end or break."""

import re
import time

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from tests.locust_plugin.browser import Browser
from tests.locust_plugin.browser_window import CHARTS, NOTHING, entries, look, open_page, window
from tests.locust_plugin.page_process import served

pytestmark = pytest.mark.programs

__all__ = ["look", "window"]  # fixtures


def say(look: Browser, words: str) -> None:
    look.until(lambda: words in look.text("#said"))


def number(look: Browser, selector: str, value: object) -> None:
    look.find(selector).send_keys(Keys.CONTROL, "a", Keys.NULL, str(value))


def test_controls_change_the_balancer_and_the_charts_show_it(look: Browser) -> None:
    with served("--past", "12") as serving:
        open_page(look, serving)
        share = look.find(".share .bar").get_attribute("aria-label")
        look.find("[data-action=set_scheduler] select").send_keys("lc")
        look.find("[data-action=set_scheduler] button").click()
        say(look, "Done: scheduler lc")
        look.until(lambda: look.text("#scheduler") == "lc")
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
        look.find("[data-action=set_mix] > fieldset > button").click()
        say(look, "Done: mix Long 4, Short 9")
        # Long requests are held; the split of new connections follows the scheduler.
        look.until(lambda: look.find(".share .bar").get_attribute("aria-label") != share)
        look.picture("changed")

        look.find("[data-action=set_scheduler] select").send_keys("twos")
        look.find("[data-action=set_scheduler] button").click()
        say(look, "Refused: this kernel has no scheduler twos")
        # What somebody has chosen is not taken out of their hands.
        time.sleep(0.6)
        assert look.find("[data-action=set_scheduler] select").get_attribute("value") == "twos"
        number(look, "[name=requests]", 99_999)
        look.press(Keys.ENTER)
        assert look.run("return document.querySelector('[name=requests]').validity.rangeOverflow")


def test_kill_asks_first_and_the_dead_server_is_marked(look: Browser) -> None:
    with served("--past", "12") as serving:
        open_page(look, serving)
        kill = look.find("#servers li:nth-child(2) .kill")

        def asked() -> bool:
            return bool(look.run("return document.querySelectorAll('dialog[open]').length"))

        # By keyboard: what has the focus keeps the server, and so does Escape.
        for key in (Keys.ENTER, Keys.ESCAPE):
            look.run("arguments[0].focus()", kill)
            look.press(Keys.ENTER)
            look.until(asked)
            assert look.text("dialog h2") == "Kill server 2?"
            assert "198.51.100.12:80" in look.text("dialog")
            assert look.run("return document.activeElement.textContent") == "Keep it"
            look.press(key)
            look.until(lambda: not asked())
            assert look.run("return document.activeElement === arguments[0]", kill)
        assert look.text("#said") == ""
        assert look.text("#servers .dead").strip() == ""

        look.press(Keys.ENTER)
        look.until(asked)
        look.picture("kill")
        look.press(Keys.TAB)
        look.press(Keys.ENTER)
        say(look, "Done: kill server 2")
        look.until(lambda: "killed" in look.text("#servers li:nth-child(2) .who"))
        assert "killed" not in look.text("#servers li:nth-child(1) .who")
        look.until(lambda: not kill.is_enabled())
        assert kill.get_attribute("title") == "it was killed"
        # So it is marked wherever it is shown, in words, since when, and by its screen reader.
        mark = r"✕ killed since 0:1[2-9]"

        def marked(where: str) -> bool:
            return bool(re.search(f"server 2.*{mark}", look.text(where), re.S))

        places = (f"{CHARTS['active']} .legend", ".share-table", "#servers")
        look.until(lambda: all(map(marked, places)))
        read = look.find(f"{CHARTS['active']} canvas.lines").get_attribute("aria-label")
        assert re.search(f"server 2 [0-9]+, {mark}", read)
        bar = look.find(".share .bar")
        assert "198.51.100.12:80, killed since 0:1" in bar.get_attribute("aria-label")
        assert "server 2 ✕" in bar.text
        # Beside each measured share stands the model's, which is the same but for one connection.
        cells = [cell.text for cell in look.driver.find_elements("css selector", "td")]
        for weight, *shares, difference in (cells[:4], cells[4:]):
            assert weight == "1"
            assert all(re.fullmatch(r"(49|50|51)\.\d %", share) for share in shares)
            assert float(difference.replace("\N{MINUS SIGN}", "-")) == pytest.approx(0, abs=0.5)
        assert "the model of rr" in look.text(".foretold")
        look.run("document.querySelector('#table').scrollIntoView()")
        row = r"-> 198\.51\.100\.12:80 +1 +\d+ +\d+ +killed\n"
        look.until(lambda: re.search(row, look.text("#table") + "\n"))
        # What fails is said by kind, under the class's share.
        look.until(lambda: re.search(r"failed: \d+ refused", look.text("#shares")))
        look.picture("killed")

        # A restart ends it, also after a reload; the ring on its line stays.
        select = look.find("#servers li:nth-child(2) select")
        Select(select).select_by_visible_text("Restart")
        say(look, "Done: restart server 2")
        look.until(lambda: "killed" not in look.text(".share-table"))
        look.driver.refresh()
        look.until(lambda: look.text(".share-table td"))
        assert "killed" not in look.text("#shares")


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
        assert not look.find("[data-action=set_scheduler] button").is_enabled()
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
        look.until(lambda: re.fullmatch("0:[01][0-9]", look.text("#elapsed")))  # it was 0:20
        assert "start long" in look.text("#marks")
        assert look.text("#marks").count("start") <= 2


def test_a_new_test_in_mid_view_begins_anew(look: Browser) -> None:
    with served("--past", "30") as serving:
        open_page(look, serving)
        assert "start short" in look.text("#marks")
        serving.tell("hold")
        serving.tell("begin")
        serving.tell("past 0.5")
        look.until(lambda: re.fullmatch("0:[012][0-9]", look.text("#elapsed")))
        look.until(lambda: look.text("#marks") == "start long at 0:00")
        look.until(lambda: set(entries(look, "active")) == {"server 1"})


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
