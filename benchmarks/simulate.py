"""How quick a simulation is: a small one from start to verdict, and connections a second of many.

Run as `python -m benchmarks.simulate [CONNECTIONS]`. Times are of the whole command, with the
start of the interpreter; each the best of three, because other programs only make it longer.
Connections a second are of processor time.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

TO_VERDICT_S = 1.0
RATE = 200_000
ROUNDS = 3
_OF_EACH = 180
"""Arrivals a second of each server: 0.9 of four workers with work of 20 ms."""
_SCENARIO = """
name: many
schedulers: [{scheduler}]
service:
  servers: 10
  capacity: {{workers: 4}}
traffic:
  work:
    request: GET /delay/{{work}}
    work: exponential 20ms
    rate: 1800
    arrivals: poisson
    duration: {seconds}s
timeline:
  - start: work
    until: done{{class=work}}
    within: 1h
"""


class Timed(NamedTuple):
    """How long a command took, also of the processor, and how many connections it simulated."""

    processor_s: float
    seconds: float
    connections: int


def main() -> None:
    """Print a line for each simulation."""
    wanted = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
    skew = min(simulated("skew").seconds for _ in range(ROUNDS))
    print(f"ipvsload simulate skew: {skew:.2f} s from start to verdict (to reach: {TO_VERDICT_S})")
    print(f"--summary, Poisson at 0.9 of capacity; to reach at 10,000 servers: {RATE:,}/s")
    print(
        f"{'scheduler':9} {'servers':>7} {'connections':>11} {'seconds':>8} {'connections/s':>14}"
    )
    for servers in (10, 10_000):
        for scheduler in ("lc", "wlc"):
            found = min(many(scheduler, servers, wanted) for _ in range(ROUNDS))
            print(
                f"{scheduler:9} {servers:>7,} {found.connections:>11,} {found.seconds:>8.2f}"
                f" {found.connections / found.processor_s:>14,.0f}",
                flush=True,
            )


def many(scheduler: str, servers: int, connections: int) -> Timed:
    """About so many connections over so many servers."""
    seconds = round(connections / (servers * _OF_EACH), 3)
    text = _SCENARIO.format(scheduler=scheduler, seconds=seconds)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as scenario:
        scenario.write(text)
        scenario.flush()
        return simulated(scenario.name, "--servers", str(servers), "--summary")


def simulated(scenario: str, *words: str) -> Timed:
    """`ipvsload simulate` as a person runs it."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "out")
        command = [sys.executable, "-m", "ipvsload", "simulate", scenario, "--out", str(out)]
        began, used = time.monotonic(), _processor_s()
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
        seconds, used = time.monotonic() - began, _processor_s() - used
        assert done.returncode == 0, done.stdout + done.stderr
        runs = json.loads((out / "results.json").read_text())["runs"]
    found = (server["connections"] for run in runs for server in run["servers"])
    return Timed(used, seconds, sum(found))


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
