"""What a connection costs in the model of a director: chosen, opened, closed by both, forgotten.

Run as `python -m benchmarks.director_model`. Medians of five rounds in turn, on the processor's
clock, with 50 connections open at once. What is over is remembered for its two minutes.
"""

import statistics
import time
from collections import deque

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side

ROUNDS, CONNECTIONS, OPEN, EVERY_NS = 5, 30_000, 50, 10_000_000
CASES = (
    ("rr", "", 10),
    ("rr", "", 10_000),
    ("lc", "", 10),
    ("lc", "", 10_000),
    ("wlc", "", 10_000),
    ("sh", "", 10),
    ("mh", "", 10),
    ("mh", "mh-port", 10),
)


def main() -> None:
    """Print a line for each scheduler."""
    print(f"{'scheduler':>12} {'servers':>8} {'us a connection':>16}")
    took: dict[tuple[str, str, int], list[float]] = {case: [] for case in CASES}
    for _ in range(ROUNDS):
        for case in CASES:
            took[case].append(_round(*case))
    for (name, flag, servers), each in took.items():
        print(f"{flag or name:>12} {servers:8} {statistics.median(each):16.1f}")


def _round(name: str, flag: str, servers: int) -> float:
    model = DirectorModel(ServiceSettings(name, "192.0.2.80", frozenset([flag] if flag else [])))
    for last in range(servers):
        model.join(f"198.51.{100 + last // 250}.{1 + last % 250}:80", 1)
    clients = [Client(f"192.0.2.{101 + n % 100}", 2_048 + n // 100) for n in range(CONNECTIONS)]
    model.choose(clients[0], 0)
    still_open: deque[Client] = deque()
    now = 0
    began = time.process_time()
    for client in clients:
        now += EVERY_NS
        number = model.choose(client, now)
        if number is not None:
            model.opened(client, number, now)
            still_open.append(client)
        if len(still_open) > OPEN:
            over = still_open.popleft()
            model.closing(over, Side.SERVER, now)
            model.closing(over, Side.CLIENT, now)
    return (time.process_time() - began) / CONNECTIONS * 1e6


if __name__ == "__main__":
    main()
