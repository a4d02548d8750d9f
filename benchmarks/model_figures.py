"""What follows from the model, as tables for docs/model.md: no kernel, no clock, some minutes.

Run as `python -m benchmarks.model_figures [PART...]`; without a part all of them. These are
simulations with fixed seeds, so they print the same everywhere.
"""

import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from benchmarks.markovian_queue import MarkovianQueue
from benchmarks.random_arrivals import (
    WorkDraw,
    exponential,
    one_in_ten_long,
    poisson_arrivals,
)
from benchmarks.supermarket_model import SupermarketModel
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings
from ipvsload.simulate.connection_stream import (
    ClassFigures,
    ConnectionStream,
    Origin,
    ServerCapacity,
)
from ipvsload.simulate.remembered_counts import RememberedCounts

WORK_S = 0.02
CONNECTIONS = 200_000
SERVERS, WORKERS = 16, 4
VIP = "192.0.2.80"
SECOND = 1_000_000_000
"""In ns."""

Rows = Iterator[tuple[object, ...]]
"""Of a table; the first is its head."""


def main() -> None:
    """Print the tables, in Markdown."""
    for name in sys.argv[1:] or PARTS:
        title, rows = PARTS[name]
        print(f"\n{title}\n")
        for number, row in enumerate(rows()):
            print(f"| {' | '.join(map(str, row))} |", flush=True)
            if not number:
                print(f"|{' --: |' * len(row)}")


def played(
    rule: str,
    *,
    load: float = 0.9,
    directors: int = 1,
    work: WorkDraw | None = None,
    work_s: float = WORK_S,
    connections: int = CONNECTIONS,
    servers: int = SERVERS,
    workers: int = WORKERS,
) -> ConnectionStream:
    """So many connections through so many directors, each of which any of them goes through.

    The first fifth is class 1, and does not count.
    """
    joined = [(f"198.51.100.{number}:80", 1) for number in range(11, 11 + servers)]
    tables = [
        RememberedCounts(
            rule, RuleSettings(VIP, draw=np.random.default_rng((7, number)).random), joined
        )
        for number in range(directors)
    ]
    through = np.random.default_rng(11)
    client = Client("192.0.2.101", 1)

    def origins() -> Iterator[Origin]:
        while True:
            for number in through.integers(directors, size=10_000).tolist():
                yield Origin(client, number)

    stream = ConnectionStream(
        tables,
        ServerCapacity(workers),
        classes=2,
        origin=origins().__next__ if directors > 1 else None,
        look_ns=3600 * SECOND,
    )
    coming = poisson_arrivals(
        connections, load * servers * workers / work_s, work or exponential(work_s)
    )
    first = connections // 5
    stream.play((at, asked, int(n < first)) for n, (at, asked, _) in enumerate(coming))
    stream.finish()
    return stream


def times(figures: ClassFigures) -> str:
    """p50/p99 in ms."""
    return "/".join(f"{(figures.latency.percentile(part) or 0) / 1e6:.0f}" for part in (50, 99))


def p99(stream: ConnectionStream) -> str:
    """In ms."""
    return f"{(stream.figures[0].latency.percentile(99) or 0) / 1e6:.0f}"


def theory() -> Rows:
    """Means of the time in the system beside closed forms."""
    yield "queue", "simulated mean, ms", "in theory", "difference"
    work_s = 0.5  # so that what twos remembers of finished ones decides nothing
    cases: Sequence[tuple[str, str, int, int, float, float]] = (
        ("M/M/1 at 0.7", "rr", 1, 1, 0.7, MarkovianQueue(0.7 / work_s, work_s).mean_time),
        ("M/M/4 at 0.9", "rr", 1, 4, 0.9, MarkovianQueue(3.6 / work_s, work_s, 4).mean_time),
        ("M/M/16 at 0.9", "rr", 1, 16, 0.9, MarkovianQueue(14.4 / work_s, work_s, 16).mean_time),
        ("16 of M/M/1 at 0.9, random", "random", 16, 1, 0.9,
         MarkovianQueue(0.9 / work_s, work_s).mean_time),
        ("1,000 of M/M/1 at 0.9, twos", "twos", 1000, 1, 0.9,
         SupermarketModel(0.9, work_s).mean_time),
    )  # fmt: skip
    for name, rule, servers, workers, load, expected in cases:
        stream = played(
            rule, load=load, work_s=work_s,
            connections=3 * CONNECTIONS, servers=servers, workers=workers,
        )  # fmt: skip
        mean = (stream.figures[0].latency.mean or 0) / 1e9
        ms = f"{mean * 1e3:,.0f}", f"{expected * 1e3:,.0f}"
        yield name, *ms, f"{(mean / expected - 1) * 100:+.1f} %"


def directors(work: WorkDraw) -> Rows:
    """p99 by the number of directors."""
    many = (1, 4, 16, 64)
    yield "p99, ms", *(f"{n} director{'s' * (n > 1)}" for n in many)
    for rule in ("random", "rr", "twos", "lc", "sed", "nq"):
        yield rule, *(p99(played(rule, directors=n, work=work)) for n in many)


def idle() -> Rows:
    """lc, sed and nq at low and high load, and how much of the work the newest server has."""
    yield "load", "rule", "p50/p99, ms", "newest server", "oldest server"
    for load in (0.1, 0.5, 0.7, 0.9, 0.95):
        for rule in ("rr", "lc", "sed", "nq"):
            stream = played(rule, load=load)
            (of_all, _) = stream.figures
            share = of_all.by_server / of_all.by_server.sum() * SERVERS
            yield f"{load:g}", rule, times(of_all), f"{share[-1]:.2f}", f"{share[0]:.2f}"


def memory() -> Rows:
    """What part of short connections goes to the one of two servers that holds long ones."""
    holds = (1, 10, 50)
    yield "short ones/s", "remembered", *(f"{held} held" for held in holds)
    for rate in (1, 10, 50, 100, 500, 1000):
        yield rate, f"{rate * 121:,}", *(f"{part_of_holder(held, rate):.1%}" for held in holds)


def part_of_holder(held: int, rate: int) -> float:
    """The part of even short connections that goes there, once some are forgotten."""
    table = RememberedCounts("lc", RuleSettings(VIP), [("holds", 1), ("another", 1)])
    table.servers.active[table.servers.place(0)] += held
    table.rule.counted(0)
    stream = ConnectionStream([table], classes=2, look_ns=SECOND)
    first = 130 * rate
    each = SECOND // rate
    # As many again as are remembered at a time, several times over.
    stream.play((n * each, 1_000_000, int(n < first)) for n in range(first + 480 * rate))
    stream.finish()
    of_short = stream.figures[0].by_server
    return float(of_short[0] / of_short.sum())


PARTS: dict[str, tuple[str, Callable[[], Rows]]] = {
    "theory": ("Means beside closed forms, 600,000 connections each", theory),
    "memory": ("lc: the part of short connections that goes to the server with long ones", memory),
    "idle": (f"{SERVERS} servers with {WORKERS} workers, exponential work of 20 ms", idle),
    "directors": (
        f"{SERVERS} servers with {WORKERS} workers at 0.9, exponential work of 20 ms",
        lambda: directors(exponential(WORK_S)),
    ),
    "tail": (
        "The same, but one request in ten takes 11 times as long as the others",
        lambda: directors(one_in_ten_long(WORK_S)),
    ),
}

if __name__ == "__main__":
    main()
