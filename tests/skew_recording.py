"""A recording of the skew experiment as the engine would write it, without a kernel.

For tests of what is computed and drawn from recordings; what a real kernel
does is tested against one. Ten long requests pin the first server, a second
one joins, a hundred short ones arrive: rr splits them, lc sends them all to
the free server.
"""

import random
from pathlib import Path
from typing import Any

from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.record.events import RecordingEnded, event_of
from ipvsload.record.format import Request, Sample
from ipvsload.record.writer import RunWriter

ONE, TWO = "198.51.100.11:80", "198.51.100.12:80"
CLIENT = "198.51.100.200"
RUN_SECONDS = 7.0

SCENARIO = """\
name: skew
title: Ten long requests pin the first server, a second one joins, a hundred short ones arrive
schedulers: [rr, lc]
service:
  servers: 1
traffic:
  long: {request: GET /delay/4, users: 10, requests: 10}
  short: {request: GET /ip, users: 5, requests: 100, think: 50ms}
timeline:
  - start: long
    until: active{server=1} == 10
  - scale: 2
    until: servers == 2
  - start: short
    until: done{class=short}
  - wait: done{class=long}
expect:
  all:
    - failures == 0
  rr:
    - requests{class=short,server=1} == 50
    - requests{class=short,server=2} == 50
  lc:
    - requests{class=short,server=1} == 0
    - share{class=short,server=2} == 1
  compare:
    - active_max{scheduler=lc,server=1} < active_max{scheduler=rr,server=1}
"""


def write_skew(
    directory: Path,
    *,
    schedulers: tuple[str, ...] = ("rr", "lc"),
    repeats: int = 1,
    scenario_text: str = SCENARIO,
    provider: str = "uml",
    exclusive: bool | None = None,
    title_steps: tuple[str, ...] = ("start long", "scale to 2", "start short", "wait for long"),
) -> Path:
    """Write a whole recording; returns its directory."""
    writer = RunWriter(
        directory,
        scenario_text=scenario_text,
        scenario="skew",
        testbed="lab",
        origin_unix_us=1_767_225_600_000_000,
    )
    number = 0
    for repeat in range(1, repeats + 1):
        for scheduler in schedulers:
            number += 1
            start = round((number - 1) * (RUN_SECONDS + 0.5) * 1e6)
            told = {} if exclusive is None else {"exclusive": exclusive}
            kernel = {"release": "6.1.0", "provider": provider}
            begun = {"kernel": kernel, "baseline_conns": {ONE: 1}, **told}
            _write_run(writer, number, scheduler, repeat, start, begun, title_steps)
    writer.event(RecordingEnded(0, round(number * (RUN_SECONDS + 0.5) * 1e6)))
    writer.close()
    return directory


def _write_run(
    writer: RunWriter,
    run: int,
    scheduler: str,
    repeat: int,
    start: int,
    begun: dict[str, Any],
    steps: tuple[str, ...],
) -> None:
    noise = random.Random(run)

    def event(seconds: float, kind: str, /, **data: Any) -> None:
        writer.event(event_of(run, start + round(seconds * 1e6), kind, data))

    requests = _requests(run, scheduler, start, noise)
    event(0, "run", scheduler=scheduler, repeat=repeat, service="tcp 192.0.2.80:80", **begun)
    event(0.0, "joined", server=ONE, number=1, weight=1)
    event(0.01, "clock", node="director", offset_us=-1200, uncertainty_us=90)
    event(0.05, "step", index=0, text=steps[0])
    event(0.05, "class-start", **{"class": "long"})
    event(0.42, "step-done", index=0, saw="active{server=1} = 10", waited_us=370_000)
    event(0.42, "step", index=1, text=steps[1])
    event(0.50, "joined", server=TWO, number=2, weight=1)
    event(0.60, "step-done", index=1, saw="servers = 2", waited_us=180_000)
    event(0.60, "step", index=2, text=steps[2])
    event(0.60, "class-start", **{"class": "short"})
    events: list[tuple[float, str, dict[str, object]]] = [
        (2.4, "class-done", {"class": "short"}),
        (2.4, "step-done", {"index": 2, "saw": "100 short requests", "waited_us": 1_800_000}),
        (2.4, "step", {"index": 3, "text": steps[3]}),
        (4.3, "class-done", {"class": "long"}),
        (4.3, "step-done", {"index": 3, "saw": "10 long requests", "waited_us": 1_900_000}),
    ]
    ticks = [start + i * 100_000 for i in range(round(RUN_SECONDS * 10))]
    for tick in ticks:
        for request in [r for r in requests if r.start_us + r.latency_us <= tick]:
            writer.request(request)
            requests.remove(request)
        while events and start + events[0][0] * 1e6 <= tick:
            event(events[0][0], events[0][1], **events[0][2])
            events.pop(0)
        writer.sample(_sample(run, scheduler, tick, start, _requests(run, scheduler, start, None)))
    event(
        RUN_SECONDS, "run-end", complete=True,
        seconds={"setup": 3.1, "timeline": 4.3, "teardown": 0.3},
    )  # fmt: skip


def _requests(run: int, scheduler: str, start: int, noise: random.Random | None) -> list[Request]:
    noise = random.Random(run)
    found = []
    for i in range(10):
        planned = start + 50_000 + i * 3_000
        latency = 4_000_000 + noise.randrange(1_500, 9_000)
        found.append(_request(run, "long", planned, latency, 40_000 + i, ONE))
    for i in range(100):
        server = TWO if scheduler == "lc" or i % 2 == 0 else ONE
        latency = round(noise.lognormvariate(7.6, 0.35)) + (600 if server == ONE else 0)
        planned = start + 600_000 + i * 17_500
        found.append(_request(run, "short", planned, latency, 41_000 + i, server))
    return sorted(found, key=lambda r: r.planned_us + r.latency_us)


def _request(run: int, traffic: str, planned: int, latency: int, port: int, server: str) -> Request:
    return Request(
        run, traffic, planned, planned + 40, latency, 200, 31, CLIENT, port, False, server, None
    )


def _sample(run: int, scheduler: str, now: int, start: int, requests: list[Request]) -> Sample:
    servers = []
    for address in (ONE, TWO):
        if address == TWO and now < start + 500_000:
            continue
        mine = [r for r in requests if r.server == address]
        active = sum(r.start_us <= now < r.planned_us + r.latency_us for r in mine)
        inactive = sum(r.planned_us + r.latency_us <= now for r in mine)
        # The kernel refreshes this counter every two seconds.
        conns = sum(r.start_us <= now - (now % 2_000_000) for r in mine) + (address == ONE)
        servers.append(
            RealServer(
                address, 1, active, inactive, 0, conns, conns * 6, conns * 4, conns * 500, 900
            )
        )
    total = sum(server.conns for server in servers)
    service = VirtualService(
        "tcp 192.0.2.80:80", scheduler, 0, 0, total, 0, 0, 0, 0, tuple(servers)
    )
    return Sample(run, "director", now, 1_500, (service,))
