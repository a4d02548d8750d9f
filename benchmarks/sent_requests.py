"""Requests really sent on loopback and recorded: how the generator's memory grows meanwhile.

Run as `python -m benchmarks.sent_requests COUNT`; `large_record` does.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import gevent

from benchmarks.own_server import own_server
from ipvsload.experiment.monotonic_clock import MonotonicClock
from ipvsload.load.base import LoadListener
from ipvsload.load.locust_load import LocustLoad
from ipvsload.record.format import REQUESTS
from ipvsload.record.writer import RunWriter
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import HttpTarget

TARGET = ("127.91.0.2", 18_080)
USERS = 10


def in_a_process(count: int) -> None:
    """Send so many from a process of its own, which prints its figures."""
    subprocess.run([sys.executable, "-m", "benchmarks.sent_requests", str(count)], check=True)


def main(count: int) -> None:
    """Send `count` requests; print how much memory it took from its tenth part on."""
    with own_server(f"{TARGET[0]}:{TARGET[1]}"), tempfile.TemporaryDirectory() as directory:
        clock = MonotonicClock()
        out = Path(directory, "run")
        writer = RunWriter(
            out,
            scenario_text="",
            scenario="benchmark",
            testbed="lab",
            origin_unix_us=clock.origin_unix_us,
        )
        listener = LoadListener(
            run=1,
            zero_ns=clock.zero_ns,
            on_finished=writer.requests,
            on_done=lambda name: None,
            on_error=lambda error: gevent.get_hub().throw(error),
        )
        spec = Traffic(users=USERS, requests=count, connection="keep-alive")
        load = LocustLoad({"it": spec}, HttpTarget(*TARGET), listener)
        load.start("it")
        first = 0
        while not load.counts["it"].done:
            gevent.sleep(0.05)
            if not first and load.counts["it"].requests > count // 10:
                first = _memory_kb()
        load.close()
        writer.close()
        grown, size = _memory_kb() - first, (out / REQUESTS).stat().st_size
    print(
        f"  at most {_memory_kb() / 1024:.0f} MB in memory, {grown / 1024:+.1f} MB since the first"
        f" tenth; on disk {size / count:.1f} bytes a request"
    )


def _memory_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(int(sys.argv[1]))
