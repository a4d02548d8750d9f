"""Our users beside other load generators, on loopback: no director; a core for the generator.

The server has another core: nginx, which answers from memory, and the lab's own real servers.
Run as `python -m benchmarks.load`.
"""

import json
import os
import re
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from benchmarks.nginx import nginx
from benchmarks.own_server import own_server
from benchmarks.versus import USERS, ab, errors, ours
from ipvsload.scenario.model import Traffic

ROUNDS = 5
Target = tuple[str, int]
Kind = Literal["new", "keep-alive"]
NGINX: Target = ("127.91.0.1", 18_081)
OWN: Target = ("127.91.0.1", 18_080)
REQUESTS: dict[Kind, int] = {"new": 20_000, "keep-alive": 200_000}
TO_REACH: dict[tuple[str, Kind], float] = {
    ("ours, recorded", "new"): 0.85,
    ("ours, recorded", "keep-alive"): 0.90,
    ("ours, Locust's statistics", "new"): 0.70,
    ("ours, Locust's statistics", "keep-alive"): 0.60,
}
_SECONDS = 3
_LOCUSTFILE = str(Path(__file__).with_name("load_locustfile.py"))


class Measured(NamedTuple):
    """Requests a second of a generator, and its µs of the processor for each."""

    rate: float
    cpu_us: float


Program = Callable[[Target, Kind], Measured]


def by_ab(target: Target, kind: Kind) -> Measured:
    """`ab -c 10`."""
    with cpu_of(resource.RUSAGE_CHILDREN) as cpu_us:
        rate = ab(_url(target), REQUESTS[kind], *["-k"] * (kind == "keep-alive"))
    return Measured(rate, cpu_us[0] / REQUESTS[kind])


def by_wrk(target: Target, kind: Kind) -> Measured:
    """`wrk -c 10`."""
    close = ("-H", "Connection: close") if kind == "new" else ()
    words = ["wrk", "-t1", f"-c{USERS}", f"-d{_SECONDS}s", *close, _url(target)]
    with cpu_of(resource.RUSAGE_CHILDREN) as cpu_us:
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    (rate,) = re.findall(r"Requests/sec: +([\d.]+)", said)
    (requests,) = re.findall(r"(\d+) requests in", said)
    return Measured(float(rate), cpu_us[0] / int(requests))


def by_bare_loop(target: Target, kind: Kind) -> Measured:
    """See bare_loop.py."""
    words = ["-m", "benchmarks.bare_loop", kind, str(REQUESTS[kind]), target[0], str(target[1])]
    return Measured(*json.loads(subprocess.check_output([sys.executable, *words])))


def by_us(target: Target, kind: Kind) -> Measured:
    """A class of a scenario, each request recorded on disk."""
    spec = Traffic(users=USERS, requests=REQUESTS[kind], connection=kind)
    with cpu_of(resource.RUSAGE_SELF) as cpu_us:
        rate, records, _ = ours(target, spec)
    assert not errors(records), errors(records)
    return Measured(rate, cpu_us[0] / REQUESTS[kind])


def by_locust(users: str) -> Program:
    """Users of a locustfile, with Locust's statistics."""

    def program(target: Target, kind: Kind) -> Measured:
        words = ["-f", _LOCUSTFILE, users, "-H", f"http://{target[0]}:{target[1]}"]
        words += ["--headless", "-u", str(USERS), "-r", str(USERS)]
        said = subprocess.run(
            [sys.executable, "-m", "locust", *words, "--only-summary"],
            env={**os.environ, "CONNECTION": kind, "SECONDS": str(_SECONDS)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        requests, failures, seconds, cpu_s = json.loads(said)
        assert not failures, said
        return Measured(requests / seconds, cpu_s * 1e6 / requests)

    return program


@contextmanager
def cpu_of(who: int) -> Iterator[list[float]]:
    """Afterwards the list has the processor's time meanwhile, in µs."""
    cpu_us: list[float] = []
    before = sum(resource.getrusage(who)[:2])
    yield cpu_us
    cpu_us.append((sum(resource.getrusage(who)[:2]) - before) * 1e6)


OURS: dict[str, Program] = {
    "ours, recorded": by_us,
    "ours, Locust's statistics": by_locust("Ours"),
}
ALL: dict[str, Program] = {
    "wrk": by_wrk,
    "a bare loop in Python": by_bare_loop,
    **OURS,
    "FastHttpUser": by_locust("Fast"),
    "HttpUser": by_locust("Plain"),
}


def main() -> None:
    """Measure in turn, print medians as ratios."""
    cores = sorted(os.sched_getaffinity(0))
    for title, server, target, programs in (
        ("nginx", nginx, NGINX, ALL),
        ("the lab's real servers", own_server, OWN, OURS),
    ):
        os.sched_setaffinity(0, cores[-1:])
        with server(f"{target[0]}:{target[1]}"):
            os.sched_setaffinity(0, cores[:1])
            print(
                f"\nAgainst {title} on loopback, {ROUNDS} rounds in turn, ratios of ab -c {USERS}"
            )
            for kind in REQUESTS:
                table(target, kind, programs)


def table(target: Target, kind: Kind, programs: dict[str, Program]) -> None:
    """Measure each program beside ab."""
    rounds = [
        {name: program(target, kind) for name, program in {"ab": by_ab, **programs}.items()}
        for _ in range(ROUNDS)
    ]
    print(f"{kind:28} {'requests/s':>11} {'ratio':>6}  {'rounds':14} {'CPU us':>7}  to reach")
    theirs = statistics.median(one["ab"].rate for one in rounds)
    for name in rounds[0]:
        rate = statistics.median(one[name].rate for one in rounds)
        cpu_us = statistics.median(one[name].cpu_us for one in rounds)
        ratios = [one[name].rate / one["ab"].rate for one in rounds]
        spread = f"{min(ratios):.2f} .. {max(ratios):.2f}"
        print(
            f"  {name:26} {rate:11,.0f} {rate / theirs:6.2f}  {spread:14} {cpu_us:7.1f}"
            f"  {TO_REACH.get((name, kind), '')}",
            flush=True,
        )


def _url(target: Target) -> str:
    return f"http://{target[0]}:{target[1]}/ip"


if __name__ == "__main__":
    main()
