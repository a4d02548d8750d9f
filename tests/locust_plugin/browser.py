"""A real browser for the page's tests: Debian's Chromium, without a window or a network."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from tests.patience import HUNG_AFTER_S

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip


class Browser:
    """One window; what the page's tests ask of it."""

    def __init__(self, driver: webdriver.Chrome, pictures: Path) -> None:
        self.driver = driver
        self._pictures = pictures

    def open(self, url: str) -> None:
        self.driver.get(url)

    def size(self, width: int, height: int, *, phone: bool = False) -> None:
        """The inside of the window, as a phone's where that is asked for."""
        self._devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone,
        )  # fmt: skip
        self._devtools("Emulation.setTouchEmulationEnabled", enabled=phone)

    def light(self, scheme: str, *, calm: bool = False) -> None:
        """The wished colours, "light" or "dark"; `calm` is a wish for reduced motion."""
        motion = "reduce" if calm else "no-preference"
        self._devtools(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": motion},
            ],
        )

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a JavaScript function's body."""
        return self.driver.execute_script(script, *arguments)

    def text(self, selector: str) -> str:
        """What is to be read in an element; "" while it is hidden or not there."""
        for _ in range(100):
            try:
                found = self.driver.find_elements(By.CSS_SELECTOR, selector)
                return " ".join(element.text for element in found)
            except StaleElementReferenceException:
                continue  # it was replaced while we read
        raise AssertionError(f"{selector} is replaced faster than it can be read")

    def find(self, selector: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, *keys: str) -> None:
        """Keys, to whatever has the focus."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def colours(self, selector: str) -> dict[str, int]:
        """How many pixels of a canvas have which colour ("#rrggbb"), where it is opaque."""
        found: dict[str, int] = self.run(
            """
            const canvas = document.querySelector(arguments[0]), { width, height } = canvas;
            const copy = Object.assign(document.createElement("canvas"), { width, height });
            const context = copy.getContext("2d", { willReadFrequently: true });
            context.drawImage(canvas, 0, 0);
            const { data } = context.getImageData(0, 0, width, height);
            const two = (n) => n.toString(16).padStart(2, "0");
            const counts = {};
            for (let i = 0; i < data.length; i += 4) {
              if (data[i + 3] < 250) continue;
              const hex = "#" + two(data[i]) + two(data[i + 1]) + two(data[i + 2]);
              counts[hex] = (counts[hex] ?? 0) + 1;
            }
            return counts;
            """,
            selector,
        )
        return found

    def picture(self, name: str) -> Path:
        """A PNG of what is to be seen; in IPVSLOAD_SCREENSHOTS, if that is set."""
        path = self._pictures / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))
        return path

    def complaints(self) -> list[str]:
        """What the console has, errors and warnings, since the last time."""
        # Selenium has no types for this one.
        entries: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [json.dumps(entry) for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def until(self, what: Callable[[], Any]) -> Any:
        """The first truth of `what`; fails when there is none."""
        deadline = time.monotonic() + HUNG_AFTER_S
        while not (found := what()):
            assert time.monotonic() < deadline, f"waited in vain; {self.text('body')}"
            time.sleep(0.05)
        return found

    def _devtools(self, command: str, **arguments: Any) -> None:
        self.driver.execute_cdp_cmd(command, arguments)


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile; closed at the end, with all its processes."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*_FLAGS, f"--user-data-dir={profile / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(DRIVER))
    try:
        driver.set_page_load_timeout(HUNG_AFTER_S)
        yield Browser(driver, Path(os.environ.get("IPVSLOAD_SCREENSHOTS") or profile))
    finally:
        driver.quit()
