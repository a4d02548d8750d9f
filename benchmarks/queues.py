"""The lab's servers beside queueing theory, through the kernel: M/M/1, M/M/4, four M/M/1.

Run as `python -m benchmarks.queues [--kernel uml]`. Each line is a run of `ipvsload run`.

The mean time in the system and its distribution are held against the closed form, with
a confidence interval for values that depend on each other. What the lab adds is exact: the
record has when each request was due and how much work it asked for, so one knows when a queue
without a network would have answered it. Lateness of the load is a part of it.
"""

import math
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from heapq import heapify, heapreplace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.markovian_queue import MarkovianQueue
from ipvsload.record.format import Request
from ipvsload.record.reader import read
from ipvsload.statistics.distribution_distance import distribution_distance
from ipvsload.statistics.effective_sample_size import effective_sample_size

WORK_S = 0.020
LIMIT_MS = 1.0
_Z99 = 2.576
"""Of the normal distribution: 99 % of the values are within so many standard deviations."""
_D99 = 1.628
"""Of Kolmogorov's distribution: 99 % of the distances, times the root of n, are below."""
_SCENARIO = """
name: queue
schedulers: [{balancer}]
service:
  servers: {servers}
  capacity: {{workers: {workers}}}
traffic:
  work:
    request: GET /delay/{{work}}
    work: exponential 20ms
    rate: {rate}
    arrivals: poisson
    duration: {seconds}s
timeline:
  - start: work
    until: done{{class=work}}
    within: 10m
"""


class Case(NamedTuple):
    """Servers that are alike, and all arrivals a second."""

    name: str
    balancer: str
    servers: int
    workers: int
    rate: float
    seconds: int


CASES = (
    Case("M/M/1: 25/s", "rr", 1, 1, 25, 120),
    Case("M/M/4: 160/s", "rr", 1, 4, 160, 60),
    Case("4 x M/M/1: 100/s at random", "iptables", 4, 1, 100, 60),
)


def main() -> None:
    """Print a line for each case."""
    print(f"exponential {WORK_S * 1e3:g} ms through the lab; ms; to reach: +lab <= {LIMIT_MS:g}")
    print(
        f"{'':28} {'theory':>7} {'mean':>7} {'99 %':>6} {'+lab':>6} {'p50':>6} {'p99':>6}"
        f" {'distance':>9} {'chance':>7} {'waited':>7} {'theory':>7}"
    )
    for case in CASES:
        with tempfile.TemporaryDirectory() as directory:
            played = play(case, Path(directory), sys.argv[1:])
        print(line(case, played), flush=True)


def play(case: Case, directory: Path, options: Iterable[str]) -> list[Request]:
    """Its requests, as they are in the record."""
    scenario, out = directory / "queue.yaml", directory / "out"
    scenario.write_text(_SCENARIO.format(**case._asdict()))
    words = ["run", str(scenario), "--out", str(out), *options]
    done = subprocess.run(
        [sys.executable, "-m", "ipvsload", *words], capture_output=True, text=True, check=False
    )
    _, found, reasons = done.stdout.partition("INVALID")
    if found:
        print(f"{case.name}: {' '.join(reasons.split())}")
    else:
        assert done.returncode == 0, done.stdout + done.stderr
    (run,) = read(out).runs
    return sorted(run.requests, key=lambda request: request.planned_us)


def line(case: Case, requests: list[Request]) -> str:
    """What was measured, beside what it should be."""
    failed = sum(request.failed for request in requests)
    assert not failed, f"{failed} requests failed"
    theory = MarkovianQueue(case.rate / case.servers, WORK_S, case.workers)
    times = [request.latency_us / 1e3 for request in requests]
    added = [
        time - ideal for time, ideal in zip(times, ideal_ms(requests, case.workers), strict=True)
    ]
    alike = effective_sample_size(times) or 1.0
    half = _Z99 * statistics.stdev(times) / math.sqrt(alike)
    lab, cuts = statistics.fmean(added), statistics.quantiles(added, n=100)
    distance = distribution_distance(
        sorted(time - lab for time in times),
        lambda ms: np.array([theory.within(one / 1e3) for one in ms]),
    )
    waited = sum((request.queue_us or 0) > 0 for request in requests) / len(requests)
    return (
        f"{case.name:28} {theory.mean_time * 1e3:7.2f} {statistics.fmean(times):7.2f}"
        f" ±{half:5.2f} {lab:6.2f} {cuts[49]:6.2f} {cuts[98]:6.2f}"
        f" {distance:9.4f} {_D99 / math.sqrt(alike):7.4f} {waited:7.3f} {theory.waiting:7.3f}"
    )


def ideal_ms(requests: list[Request], workers: int) -> list[float]:
    """Each request's time in its server, if the way there and back took none.

    Each takes the worker that is free first (Kiefer and Wolfowitz). Requests are in
    the order in which they were due.
    """
    free: dict[str | None, list[float]] = {}
    found = []
    for request in requests:
        mine = free.setdefault(request.server, [0.0] * workers)
        heapify(mine)
        ended = max(request.planned_us, mine[0]) + (request.work_us or 0)
        heapreplace(mine, ended)
        found.append((ended - request.planned_us) / 1e3)
    return found


if __name__ == "__main__":
    main()
