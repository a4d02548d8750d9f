"""A run of ten million requests: what its record costs on disk, in time and in memory.

Run as `python -m benchmarks.large_record [WRITTEN [SENT]]`. WRITTEN requests, ten million unless
told otherwise, are made up and recorded as fast as that goes, and then reported and exported.
SENT are really sent, on loopback, to see what else of the generator grows by request. Each part is
a process of its own.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import sent_requests
from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.record.events import event_of
from ipvsload.record.format import REQUESTS, Request, Sample
from ipvsload.record.writer import RunWriter

WRITTEN, SENT = 10_000_000, 400_000
RATE = 25_000
USERS, CLIENTS, SERVERS = 100, 4, 16
BATCH = 6
"""So many answers come at once to a busy generator."""
SERVICE = "tcp 192.0.2.80:80"
SCENARIO = """\
name: large
schedulers: [lc]
service: {{servers: 16}}
traffic:
  short: {{users: 100, requests: {requests}, connection: keep-alive}}
timeline:
  - {{start: short, until: done, within: 24h}}
"""


def main(words: list[str]) -> None:
    """Run the parts, print the figures."""
    if words[:1] == ["--write"]:
        write(Path(words[1]), int(words[2]))
        return
    written = int(words[0]) if words else WRITTEN
    sent = int(words[1]) if words[1:] else SENT
    print(f"{sent:,} requests sent on loopback, on kept connections, and recorded:")
    sent_requests.in_a_process(sent)
    with tempfile.TemporaryDirectory() as name:
        out = Path(name, "run")
        print(f"{written:,} requests recorded in batches of {BATCH}, {RATE:,} a second of the run:")
        _measured("writing", [__spec__.name, "--write", str(out), str(written)])
        size = (out / REQUESTS).stat().st_size
        print(f"  on disk {size / 1e6:,.0f} MB, {size / written:.1f} bytes a request")
        _measured("ipvsload report", ["ipvsload", "report", str(out)])
        _measured(
            "ipvsload export --format hgrm", ["ipvsload", "export", str(out), "--format", "hgrm"]
        )


def _measured(what: str, words: list[str]) -> None:
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    told = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds, worked = time.monotonic() - began, used.ru_utime + used.ru_stime
    print(f"  {what}: {seconds:.1f} s ({worked:.1f} s of the processor),", end=" ")
    print(f"at most {used.ru_maxrss / 1024:.0f} MB in memory; exit status {process.returncode}")
    if words[0] != "ipvsload":
        print(told, end="")


def write(out: Path, count: int) -> None:
    """Record a run of so many requests, as a generator would; print what a request took."""
    writer = RunWriter(
        out,
        scenario_text=SCENARIO.format(requests=count),
        scenario="large",
        testbed="lab",
        origin_unix_us=0,
    )

    def event(t_us: int, kind: str, /, **data: Any) -> None:
        writer.event(event_of(1, t_us, kind, data))

    event(
        0, "run", scheduler="lc", repeat=1, service=SERVICE, exclusive=True,
        kernel={"release": "6.1.0", "provider": "uml", "lc_law": 256}, baseline_conns={},
    )  # fmt: skip
    for number in range(1, SERVERS + 1):
        event(0, "joined", server=_server(number), number=number, weight=1)
    event(0, "class-start", **{"class": "short"})
    took_s, sampled_us, end_us = 0.0, 0, 0
    found = _requests(count)
    while some := list(islice(found, 100 * BATCH)):
        batches = [some[first : first + BATCH] for first in range(0, len(some), BATCH)]
        began = time.thread_time()
        for batch in batches:
            writer.requests(batch)
        took_s += time.thread_time() - began
        end_us = some[-1].planned_us + some[-1].latency_us
        if end_us >= sampled_us:
            writer.sample(_sample(sampled_us))
            sampled_us += 100_000
    event(end_us, "class-done", **{"class": "short"})
    for later_us in range(sampled_us, end_us + 2_500_000, 100_000):
        writer.sample(_sample(later_us))
    event(end_us + 2_500_000, "run-end", complete=True, seconds={})
    event(end_us + 2_500_000, "end")
    writer.close()
    print(f"  of it the writer: {took_s / count * 1e6:.2f} us of the processor a request")


def _requests(count: int) -> Iterator[Request]:
    noise = Random(1)
    latencies = cycle([round(noise.lognormvariate(7.6, 0.6)) for _ in range(10_007)])
    late = cycle([noise.randrange(90) for _ in range(4_001)])
    clients = [f"192.0.2.{101 + number}" for number in range(CLIENTS)]
    servers = [_server(1 + number) for number in range(SERVERS)]
    for number in range(count):
        user, end_us = number % USERS, 60_000 + number * 1_000_000 // RATE
        planned_us = end_us - next(latencies)
        yield Request(
            1, "short", planned_us, planned_us + next(late), end_us - planned_us, 200, 31,
            clients[user % CLIENTS], 20_000 + user, number >= USERS, servers[user % SERVERS], None,
        )  # fmt: skip


def _server(number: int) -> str:
    return f"198.51.100.{10 + number}:80"


def _sample(t_us: int) -> Sample:
    share = [len(range(number, USERS, SERVERS)) if t_us else 0 for number in range(SERVERS)]
    servers = tuple(
        RealServer(_server(number), 1, kept, 0, 0, kept, kept * 6, kept * 4, kept * 500, 900)
        for number, kept in enumerate(share, 1)
    )
    service = VirtualService(SERVICE, "lc", 0, 0, sum(share), 0, 0, 0, 0, servers)
    return Sample(1, "director", t_us, 1_500, (service,))


if __name__ == "__main__":
    main(sys.argv[1:])
