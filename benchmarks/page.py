"""What the page "IPVS" costs the generator: 50 real servers, 10 samples a second, one viewer.

And what its prediction does: a connection that begins and ends, noted and followed.

Run as `python -m benchmarks.page`.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.load.connection_watch import ConnectionEnd
from ipvsload.locust_plugin.live.live_prediction import LivePrediction
from ipvsload.locust_plugin.live.prediction_basis import PredictionBasis

ROUNDS = 4
SECONDS = 8.0
SERVERS = 50
POLL_SECONDS = 0.25
CHANGES = 10
LIMIT = 0.05
PORT = 18_089
FORETOLD = "rr", "lc", "iptables"
KEY = "tcp 192.0.2.80:80"
CONNECTIONS, OPEN = 20_000, 10
LOCUSTFILE = Path(__file__).parents[1] / "locustfiles" / "mixed.py"
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure with and without a viewer in turn; print medians and their difference."""
    with tempfile.TemporaryDirectory() as directory:
        words = ["--servers", str(SERVERS), "--autostart", "-u", "20", "-r", "20"]
        locust = subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *words,
             "--web-host", "127.0.0.1", "--web-port", str(PORT)],
            cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_for_samples(locust)
            alone, watched, polls = [], [], 0
            for _ in range(ROUNDS):
                alone.append(share(locust.pid, lambda: time.sleep(SECONDS)))
                viewer = Viewer()
                watched.append(share(locust.pid, viewer.look))
                polls += viewer.polls
            delays = [change(1 + n % 7) for n in range(CHANGES)]
        finally:
            locust.terminate()
            locust.wait()
    costs = [b - a for a, b in zip(alone, watched, strict=True)]
    print(
        f"The page: {SERVERS} servers, 10 samples/s, one viewer, {ROUNDS} rounds in turn;"
        f" to reach: < {LIMIT:.0%} of a core"
    )
    print(f"{'generator without a viewer':28} {statistics.median(alone):8.1%}")
    print(f"{'generator with one':28} {statistics.median(watched):8.1%}")
    print(
        f"{'serving the page':28} {statistics.median(costs):8.1%}"
        f"   {min(costs):.1%} .. {max(costs):.1%}, {polls / ROUNDS / SECONDS:.1f} polls/s"
    )
    took = {name: statistics.median(foretold(name) for _ in range(ROUNDS)) for name in FORETOLD}
    each = ", ".join(f"{us:.1f} us under {name}" for name, us in took.items())
    print(f"the prediction of a connection takes {each}")
    print(
        f"a weight changed on the page is back from the kernel's table after"
        f" {statistics.median(delays):.2f} s ({min(delays):.2f} .. {max(delays):.2f} s)"
    )


def foretold(scheduler: str) -> float:
    """CPU in us that the prediction takes for a connection, ten of which are open at once."""
    prediction = LivePrediction(lambda node, key: None, lambda: None)
    prediction.begin(PredictionBasis(), KEY)
    servers = tuple(RealServer(f"198.51.100.{n}:80", 1, *[0] * 8) for n in range(1, 1 + SERVERS))
    service = VirtualService(KEY, scheduler, 0, 0, 0, 0, 0, 0, 0, servers)
    prediction.sampled("director", 0, service)
    began = time.process_time()
    for port in range(CONNECTIONS):
        prediction.opened("192.0.2.101", port, port)
        if port >= OPEN:
            prediction.ended("192.0.2.101", port - OPEN, port, ConnectionEnd.CLOSED)
        if port % 64 == 0:
            while prediction.work():
                pass
    assert not prediction.why
    return (time.process_time() - began) / CONNECTIONS * 1e6


def change(weight: int) -> float:
    """Seconds from a control's use until the page has the kernel's word for it."""
    body = json.dumps({"do": "reweigh", "server": 1, "weight": weight}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/ipvs/control", body, {"Content-Type": "application/json"}
    )
    began = time.monotonic()
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
    while ask(-1, -1)["servers"][0][3] != weight:
        time.sleep(POLL_SECONDS)
    return time.monotonic() - began


def wait_for_samples(locust: "subprocess.Popen[bytes]") -> None:
    """Until the page shows every server."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert locust.poll() is None
        try:
            if len(ask(-1, -1)["servers"]) == SERVERS:
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise AssertionError("the page did not come up")


def ask(epoch: int, after: int) -> dict[str, Any]:
    """What a viewer gets who has seen so much."""
    url = f"http://127.0.0.1:{PORT}/ipvs/frame?epoch={epoch}&after={after}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        frame: dict[str, Any] = json.load(answer)
    return frame


class Viewer:
    """Asks as the page does."""

    polls = 0

    def look(self) -> None:
        """Ask for what is new, POLL_SECONDS apart, for SECONDS."""
        epoch = after = -1
        end = time.monotonic() + SECONDS
        while (now := time.monotonic()) < end:
            frame = ask(epoch, after)
            epoch, after = frame["epoch"], frame["stamp"]
            self.polls += 1
            time.sleep(max(0.0, now + POLL_SECONDS - time.monotonic()))


def share(pid: int, during: Callable[[], object]) -> float:
    """Part of a core that a process uses meanwhile."""
    began, before = time.monotonic(), spent(pid)
    during()
    return (spent(pid) - before) / (time.monotonic() - began)


def spent(pid: int) -> float:
    """Seconds of CPU until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main()
