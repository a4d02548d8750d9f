"""A recording of servers with a capacity near its limit, as the engine would write it.

For tests of what is computed and drawn from recordings, without a kernel: first come, first
served at each server, and rr or lc before them.
"""

import heapq
import random
from dataclasses import dataclass, field
from pathlib import Path

from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.record.events import RecordingEnded, event_of
from ipvsload.record.format import OccupancySample, Request, Sample, ServerOccupancy
from ipvsload.record.writer import RunWriter

WORKERS = 4
MEAN_US = 20_000
CLIENT = "198.51.100.200"
START_US = 1_000_000
PERIOD_US = 100_000

SCENARIO = """\
name: capacity
title: The same load at 0.9 of what the servers can do
schedulers: [rr, lc]
service:
  servers: {servers}
  capacity: {{workers: 4, queue: 100}}
traffic:
  short: {{request: GET /delay/0.02, rate: {rate}, requests: {requests}}}
timeline:
  - start: short
    until: done{{class=short}}
expect:
  all:
    - failures == 0
    - utilisation{{server=1}} < 1
  compare:
    - queue_p95{{class=short,scheduler=lc}} < queue_p95{{class=short,scheduler=rr}}
"""


@dataclass
class _Server:
    address: str
    free: list[int] = field(default_factory=lambda: [0] * WORKERS)
    """When each worker is free again."""
    served: list[tuple[int, int, int]] = field(default_factory=list)
    """When each request came, began and ended."""
    ends: list[int] = field(default_factory=list)

    def active(self, now: int) -> int:
        while self.ends and self.ends[0] <= now:
            heapq.heappop(self.ends)
        return len(self.ends)

    def serve(self, now: int, work: int) -> tuple[int, int]:
        begin = max(now, heapq.heappop(self.free))
        end = begin + work
        heapq.heappush(self.free, end)
        heapq.heappush(self.ends, end)
        self.served.append((now, begin, end))
        return begin - now, end - now

    def at(self, t: int) -> ServerOccupancy:
        busy = [one for one in self.served if one[1] <= t < one[2]]
        queued = sum(came <= t < began for came, began, _ in self.served)
        begun = sum(began <= t for _, began, _ in self.served)
        spent = sum(min(t, ended) - began for _, began, ended in self.served if began < t)
        return ServerOccupancy(self.address, len(busy), queued, begun, 0, spent)


def write_full_servers(
    directory: Path, *, servers: int = 2, seconds: float = 4.0, load: float = 0.9
) -> Path:
    """Write a whole recording of one run of rr and one of lc; returns its directory."""
    rate = round(load * servers * WORKERS / MEAN_US * 1e6)
    count = round(rate * seconds)
    text = SCENARIO.format(servers=servers, rate=rate, requests=count)
    writer = RunWriter(
        directory, scenario_text=text, scenario="capacity", testbed="lab",
        origin_unix_us=1_767_225_600_000_000,
    )  # fmt: skip
    span = round(seconds * 1e6) + 3_000_000
    for run, scheduler in enumerate(("rr", "lc"), 1):
        _write_run(writer, run, scheduler, START_US + (run - 1) * span, servers, rate, count)
    writer.event(RecordingEnded(0, START_US + 2 * span))
    writer.close()
    return directory


def _write_run(
    writer: RunWriter, run: int, scheduler: str, start: int, servers: int, rate: int, count: int
) -> None:
    def event(t_us: int, kind: str, /, **data: object) -> None:
        writer.event(event_of(run, t_us, kind, data))

    mine = [_Server(f"198.51.100.{11 + i}:80") for i in range(servers)]
    event(
        start, "run", scheduler=scheduler, repeat=1, service="tcp 192.0.2.80:80", hz=10.0,
        kernel={"release": "6.1.0", "provider": "uml"},
        baseline_conns=dict.fromkeys((server.address for server in mine), 0),
    )  # fmt: skip
    for number, server in enumerate(mine, 1):
        event(start, "joined", server=server.address, number=number, weight=1)
    begin = start + 200_000
    event(begin, "step", index=0, text="start short")
    event(begin, "class-start", **{"class": "short"})
    work = random.Random(1)
    end = begin
    for i in range(count):
        planned = begin + round(i * 1e6 / rate)
        late = round(work.expovariate(1 / 80))
        if scheduler == "rr":
            server = mine[i % servers]
        else:  # of equals, the newest
            server = min(reversed(mine), key=lambda one: one.active(planned))
        queue, whole = server.serve(planned, round(work.expovariate(1 / MEAN_US)))
        latency = late + whole + 900
        end = max(end, planned + latency)
        writer.request(
            Request(
                run, "short", planned, planned + late, latency, 200, 31, CLIENT, 20_000 + i,
                False, server.address, None, queue_us=queue,
            )
        )  # fmt: skip
    event(end, "class-done", **{"class": "short"})
    event(end, "step-done", index=0, saw=f"{count} short requests", waited_us=end - begin)
    for t in range(start, end + 2_300_000, PERIOD_US):
        told = tuple(server.at(t) for server in mine)
        writer.sample(_sample(run, scheduler, t, mine, told))
        writer.occupancy(OccupancySample(run, t + 7_000, told))
    event(
        end + 2_300_000, "run-end", complete=True,
        seconds={"setup": 0.2, "timeline": (end - begin) / 1e6, "teardown": 2.3},
    )  # fmt: skip


def _sample(
    run: int, scheduler: str, t: int, servers: list[_Server], told: tuple[ServerOccupancy, ...]
) -> Sample:
    rows = []
    for server, one in zip(servers, told, strict=True):
        conns = one.requests + one.queued
        active = one.busy + one.queued
        rows.append(RealServer(server.address, 1, active, conns - active, 0, conns, 0, 0, 0, 0))
    service = VirtualService("tcp 192.0.2.80:80", scheduler, 0, 0, 0, 0, 0, 0, 0, tuple(rows))
    return Sample(run, "director", t, 400, (service,))
