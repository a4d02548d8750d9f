"""`ab` and our users, at the same address: requests a second of each."""

import re
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import gevent

from ipvsload.experiment.monotonic_clock import MonotonicClock
from ipvsload.load.base import LoadListener
from ipvsload.load.locust_load import LocustLoad
from ipvsload.load.tcp_connect import Sockets
from ipvsload.record.format import Request
from ipvsload.record.writer import RunWriter
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import HttpTarget

USERS = 10


def ab(url: str, requests: int, *options: str) -> float:
    """Requests a second that `ab -c 10` makes."""
    words = ["ab", "-q", "-c", str(USERS), "-n", str(requests), *options, url]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    figures = dict(re.findall(r"^([\w ]+): +([\d.]+)", said, re.MULTILINE))
    assert figures["Failed requests"] == "0", said
    return float(figures["Requests per second"])


def ours(
    target: tuple[str, int], spec: Traffic, sockets: Sockets | None = None
) -> tuple[float, list[Request], list[str]]:
    """Requests a second of one class, each recorded on disk; the records; overloads.

    The class must have a budget, and all of it is done.
    """
    requests: list[Request] = []
    clock = MonotonicClock()
    with tempfile.TemporaryDirectory() as directory:
        writer = RunWriter(
            Path(directory, "run"),
            scenario_text="",
            scenario="benchmark",
            testbed="lab",
            origin_unix_us=clock.origin_unix_us,
        )

        def finished(batch: Sequence[Request]) -> None:
            writer.requests(batch)
            requests.extend(batch)

        load = LocustLoad(
            {"it": spec},
            HttpTarget(*target),
            LoadListener(
                run=1,
                zero_ns=clock.zero_ns,
                on_finished=finished,
                on_done=lambda name: None,
                on_error=lambda error: gevent.get_hub().throw(error),
            ),
            sockets=sockets,
        )
        began = time.monotonic()
        load.start("it")
        while not load.counts["it"].done:
            gevent.sleep(0.005)
        seconds = time.monotonic() - began
        overloads = load.overloads()
        load.close()
        writer.close()
    assert len(requests) == spec.requests
    return len(requests) / seconds, requests, overloads


def errors(requests: Sequence[Request]) -> Counter[str]:
    """What went wrong, and how often."""
    return Counter(r.error or f"status {r.status}" for r in requests if r.failed)


def row(name: str, theirs: Sequence[float], mine: Sequence[float]) -> None:
    """Medians of both, their ratio, and the least and greatest ratio of a round."""
    ratios = [m / t for m, t in zip(mine, theirs, strict=True)]
    print(
        f"{name:26} {statistics.median(theirs):>10,.0f} {statistics.median(mine):>10,.0f}"
        f" {statistics.median(mine) / statistics.median(theirs):>7.2f}"
        f"   {min(ratios):.2f} .. {max(ratios):.2f}"
    )


def head(title: str) -> None:
    """The title and the columns of `row`."""
    print(title)
    print(f"{'requests/s, medians':26} {'ab -c 10':>10} {'ours':>10} {'ratio':>7}   rounds")
