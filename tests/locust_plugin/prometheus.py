"""A real Prometheus, of a test's own, that scrapes one place each second."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

from tests.load.real import free_port, fresh_address
from tests.patience import HUNG_AFTER_S

# To the address that is asked, whatever proxy the environment names.
fetch = build_opener(ProxyHandler({})).open

Series = list[tuple[dict[str, str], float]]


class Prometheus:
    """Where it listens, and what it answers; `at`, if set, is the time that is asked about."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.at: float | None = None

    def ready(self) -> bool:
        """Whether it answers yet."""
        try:
            with fetch(f"http://{self._address}/-/ready", timeout=HUNG_AFTER_S):
                return True
        except (URLError, ConnectionError):
            return False

    def query(self, expression: str) -> Series:
        """Labels and value of each series that an expression has.

        Raises AssertionError with Prometheus's words where it is none.
        """
        try:
            url = f"http://{self._address}/api/v1/query?query={quote(expression)}"
            with fetch(
                url if self.at is None else f"{url}&time={self.at}", timeout=HUNG_AFTER_S
            ) as answer:
                found = json.load(answer)
        except HTTPError as error:
            with error:
                raise AssertionError(f"{expression}: {error.read().decode()}") from None
        return [(one["metric"], float(one["value"][1])) for one in found["data"]["result"]]

    def value(self, expression: str) -> float:
        """The value of an expression that has one series."""
        ((_, value),) = self.query(expression)
        return value

    def wait(self, expression: str) -> None:
        """Until it has a series, or the test fails."""
        deadline = time.monotonic() + HUNG_AFTER_S
        while not self.query(expression):
            assert time.monotonic() < deadline, f"{expression} has nothing"
            time.sleep(0.1)


@contextmanager
def prometheus(target: str, folder: Path) -> Iterator[Prometheus]:
    """Started with its data in `folder`, ended on leaving."""
    host = fresh_address()
    address = f"{host}:{free_port(host)}"
    config = folder / "prometheus.yml"
    config.write_text(
        f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - {{job_name: ipvsload, static_configs: [{{targets: ["{target}"]}}]}}
"""
    )
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        one = Prometheus(address)
        deadline = time.monotonic() + HUNG_AFTER_S
        while not one.ready():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield one
    finally:
        process.terminate()
        process.wait(HUNG_AFTER_S)
