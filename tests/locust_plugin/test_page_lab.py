"""The page in a real browser, over a real run in the lab: what people do, and what they see."""

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from ipvsload.testbed.lab import director_client as control
from ipvsload.testbed.lab.broker_client import plain_socket
from tests.leftovers import Marked, nothing_left
from tests.locust_plugin.browser import Browser, browser
from tests.locust_plugin.command import LOCUSTFILES, Command

pytestmark = pytest.mark.kernel


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path / "browser") as one:
        one.size(1280, 1200)
        one.light("light")
        yield one


@pytest.fixture
def marked(request: pytest.FixtureRequest) -> Iterator[Marked]:
    with nothing_left(f"{os.getpid()}-{request.node.name}") as found:
        yield found


def legend(window: Browser, title: str) -> dict[str, float]:
    """The values in the legend of a chart, by server."""
    text: str = window.run(
        """
        const figures = [...document.querySelectorAll("#board figure")];
        return figures.find((one) => one.textContent.startsWith(arguments[0]))?.innerText ?? "";
        """,
        title,
    )
    found = re.findall(r"server (\d+)\s+([\d.]+)", text)
    return {number: float(value) for number, value in found}


def press(window: Browser, form: str, **fields: str) -> None:
    """Fill in one of the page's forms and send it."""
    for name, value in fields.items():
        field = window.find(f"form[data-action={form}] [name={name}]")
        if field.tag_name == "select":
            Select(field).select_by_visible_text(value)
        else:
            # Not `clear`: the page would fill an empty field again before the keys come.
            field.send_keys(Keys.CONTROL, "a", Keys.NULL, value)
    window.find(f"form[data-action={form}] button:not([type=button])").click()


def test_a_person_at_the_page(tmp_path: Path, window: Browser, marked: Marked) -> None:
    words = ("--servers", "1", "-u", "8", "-r", "8")
    with Command(
        tmp_path, LOCUSTFILES / "mixed.py", *words, environment=marked.environment
    ) as command:
        command.eventually(command.serving, "the page")
        window.open(f"{command.url}/ipvs")
        window.until(lambda: "No test has been started yet" in window.text("#empty"))

        # Start, on Locust's own page, and come back by its link.
        window.open(command.url)
        window.until(lambda: window.driver.find_elements("css selector", "button[type=submit]"))
        window.find("button[type=submit]").click()
        window.until(lambda: "RUNNING" in window.text("body").upper())
        window.run("document.querySelector('a[href$=ipvs]').click()")
        window.until(lambda: "running" in window.text("#state"))

        # Twenty long requests pin the first server; then a second one joins.
        press(window, "burst", requests="20", seconds="55")
        window.until(lambda: legend(window, "ActiveConn").get("1", 0) >= 20)
        press(window, "scale", servers="2")
        window.until(lambda: "2" in legend(window, "ActiveConn"))

        # Round robin: both get the short ones. Their lines move.
        def split() -> tuple[float, float]:
            new = legend(window, "New connections")
            return new.get("1", -1), new.get("2", -1)

        def alike(one: float, other: float) -> bool:
            return min(one, other) > 5 and 0.7 < one / other < 1.5

        window.until(lambda: alike(*split()))
        before = legend(window, "InActConn")
        window.until(lambda: all(now > before[n] for n, now in legend(window, "InActConn").items()))
        first, second = (
            window.run(
                "return getComputedStyle(document.body).getPropertyValue(arguments[0])", name
            )
            for name in ("--s0", "--s1")
        )
        drawn = window.colours("#board figure canvas")
        assert drawn.get(first.strip(), 0) > 50
        assert drawn.get(second.strip(), 0) > 50

        # Least connections: none of them for the busy one.
        press(window, "set_scheduler", scheduler="lc")
        window.until(lambda: "scheduler lc" in window.text("#marks"))

        def apart(one: float, other: float) -> bool:
            return one < 1 and other > 10

        window.until(lambda: apart(*split()))
        assert window.text("#scheduler") == "lc"
        # The page asks for the table only while it is in sight.
        window.run("document.querySelector('#table-section').scrollIntoView()")
        window.until(lambda: "lc" in window.text("#table"))
        window.find(".window label:last-child").click()
        window.until(lambda: window.find("input[value=all]").is_selected())
        window.picture("ipvs-page")

        # A second browser, or a reload, shows the same.
        shown = window.text("#marks")
        window.driver.refresh()
        window.until(lambda: window.text("#marks") == shown)
        assert legend(window, "ActiveConn")["1"] >= 20

        assert not window.complaints()
        # What cannot be is refused, and the load goes on.
        press(window, "scale", servers="900")
        window.until(lambda: "no room for 900 servers" in window.text("#said"))

        # Its director dies.
        os.kill(marked.guest(), signal.SIGKILL)
        window.until(lambda: "director's kernel ended unexpectedly" in window.text("#trouble"))
        window.picture("ipvs-page-trouble")
        # The browser notes by itself that something was refused.
        assert all("/ipvs/control" in complaint for complaint in window.complaints())
        command.interrupt(signal.SIGKILL)
        command.wait()
        window.until(lambda: "does not answer since" in window.text("#lost"))


def test_the_page_says_when_the_sidecar_dies(
    tmp_path: Path, window: Browser, marked: Marked
) -> None:
    with Command(
        tmp_path,
        LOCUSTFILES / "mixed.py",
        *("-u", "4", "-r", "4", "--autostart"),
        environment=marked.environment,
    ) as command:
        command.eventually(command.serving, "the page")
        window.open(f"{command.url}/ipvs")
        window.until(lambda: "running" in window.text("#state"))
        window.until(lambda: legend(window, "InActConn").get("2", 0) > 0)
        kill_sidecar(marked)
        window.until(lambda: "sidecar's output ended" in window.text("#trouble"))
        # The load does not stop for that; the next test has a new one.
        command.ask("/stop", b"")
        answer = command.swarm(user_count="4", spawn_rate="4")
        assert answer["success"]
        window.until(lambda: not window.text("#trouble") and "running" in window.text("#state"))
        window.until(lambda: legend(window, "InActConn").get("2", 0) > 0)
        command.interrupt()
        assert command.wait() in (0, 3), command.log


# In the guest the sidecar is the agent's oldest child.
KILL = """
for p in $(ls /proc | grep -E '^[0-9]+$' | sort -n); do
    [ $p != 1 ] && grep -q lab.director /proc/$p/cmdline && kill -9 $p && exit
done
"""


def kill_sidecar(marked: Marked) -> None:
    """The sidecar of this test's lab, by the agent in its director."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    brokers = {line.rpartition("@")[2] for line in lines if "@ipvsload-" in line}
    (broker,) = (one for one in brokers if supervisor(one) in marked.processes())
    with control.connect(plain_socket(broker)) as connection:
        request = {"do": "exec", "argv": ["sh", "-c", KILL], "director": 1}
        connection.sendall((json.dumps(request) + "\n").encode())
        assert b'"exit": 0' in connection.recv(1000)


def supervisor(broker: str) -> int:
    """The pid of the process that listens there; 0 where nobody does any more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(5)
        try:
            client.connect("\0" + broker)
        except OSError:
            return 0  # another lab's, which is just ending
        peer = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int.from_bytes(peer[:4], "little")
