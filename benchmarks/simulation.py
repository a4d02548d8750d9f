"""How many connections a second are simulated where no single one is recorded.

Run as `python -m benchmarks.simulation [--long]`. Servers have four workers, and nine tenths of
them are busy. Beside each figure stands what numpy takes to find the least of so many numbers, in
the same seconds. `--long` plays ten million connections over ten thousand servers.
"""

import resource
import subprocess
import sys
import time
from statistics import median

import numpy as np

from benchmarks.random_arrivals import exponential, poisson_arrivals
from ipvsload.ipvs_model.schedulers.base import RuleSettings
from ipvsload.simulate.connection_stream import ConnectionStream, ServerCapacity
from ipvsload.simulate.remembered_counts import RememberedCounts

LIMIT = 200_000
LONG_LIMIT_S = 60
WORKERS = 4
WORK_S = 0.02
LOAD = 0.9
ROUNDS = 5
MILLION = 1_000_000


def main() -> None:
    """Print the table; with `--memory N`, as this program calls itself, one figure."""
    if sys.argv[1:2] == ["--memory"]:
        print(*memory(int(sys.argv[2])))
        return
    print(f"connections/s on one core; to reach: >= {LIMIT:,} for lc and wlc")
    print(f"{'':8} {'servers':>8} {'connections/s':>14} {'us each':>8} {'least of all, us':>17}")
    for servers in (10, 10_000):
        for rule in ("rr", "lc", "wlc"):
            found = [(speed(rule, servers, 100_000), least_us(servers)) for _ in range(ROUNDS)]
            rate, least = (median(one) for one in zip(*found, strict=True))
            print(f"{rule:8} {servers:8} {rate:14,.0f} {1e6 / rate:8.2f} {least:17.2f}", flush=True)
    # The servers have fewer requests here, so that ten million are more than they remember.
    print("\nlc, 10,000 servers, memory of the whole program")
    for connections in (MILLION, 10 * MILLION) if "--long" in sys.argv[1:] else (MILLION,):
        command = [sys.executable, "-m", "benchmarks.simulation", "--memory", str(connections)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        print(
            f"{connections:12,} connections {told[0]:>8} s {told[1]:>8} s of CPU {told[2]:>8} MB",
            flush=True,
        )
    print(f"to reach: ten million in {LONG_LIMIT_S} s, and as much memory as for one million")


def stream(rule: str, servers: int) -> ConnectionStream:
    """Servers and a director that knows nothing yet."""
    joined = [(f"server {number}", 1) for number in range(servers)]
    director = RememberedCounts(rule, RuleSettings("192.0.2.80"), joined)
    return ConnectionStream([director], ServerCapacity(WORKERS))


def speed(rule: str, servers: int, connections: int) -> float:
    """Connections a second of this process's own time, once all servers are at work."""
    played = stream(rule, servers)
    rate = LOAD * servers * WORKERS / WORK_S
    before = round(3 * WORK_S * rate)
    coming = poisson_arrivals(before + connections, rate, exponential(WORK_S))
    while played.connections < before:
        played.play_some(coming)
    began, left = time.process_time(), connections + before - played.connections
    played.play(coming)
    return left / (time.process_time() - began)


def least_us(many: int) -> float:
    """What numpy takes to find the first least of so many numbers."""
    scores, times = np.random.default_rng(1).random(many), 2_000
    began = time.process_time()
    for _ in range(times):
        scores.argmin()
    return (time.process_time() - began) / times * 1e6


def memory(connections: int) -> tuple[str, str, str]:
    """Seconds, those of the processor, and the most MB that this process ever had.

    At 20,000 connections a second what was remembered first is forgotten after two and a half
    million.
    """
    began, began_cpu = time.perf_counter(), time.process_time()
    rate = 20_000.0
    work = exponential(LOAD * 10_000 * WORKERS / rate)
    played = stream("lc", 10_000)
    played.play(poisson_arrivals(connections, rate, work))
    played.finish()
    taken, of_cpu = time.perf_counter() - began, time.process_time() - began_cpu
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{taken:.1f}", f"{of_cpu:.1f}", f"{most:.0f}"


if __name__ == "__main__":
    main()
