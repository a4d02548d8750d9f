"""What it costs to watch the packets at the director's cables: two labs, one of them watched.

Run as `python -m benchmarks.witness`, with the name of a kernel if not the first that works.
"""

import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent

from benchmarks.versus import ours
from ipvsload.scenario.model import Traffic
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.lab.broker_client import LabSockets
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import Topology

ROUNDS = 8
CLASS = Traffic(users=50, requests=10_000)
SERVERS = 4
AT_RATE = 5_000
CPU_LIMIT, RATE_LIMIT = 0.10, 0.98
_TAKEN_EACH = 0.1


def main() -> None:
    """Load both in turn, print medians."""
    kernel = sys.argv[1] if sys.argv[1:] else "auto"
    with labs(kernel) as (plain, watched):
        rounds = []
        for number in range(ROUNDS):
            pair = (plain, watched) if number % 2 else (watched, plain)
            rounds.append({testbed: measure(testbed) for testbed in pair})
        provider = watched.kernel["provider"]
    rates = [[one[testbed].rate for one in rounds] for testbed in (plain, watched)]
    worked = [[one[testbed].worked_us for one in rounds] for testbed in (plain, watched)]
    cost = statistics.median(one[watched].watch_us for one in rounds)
    ratios = [with_it / without for without, with_it in zip(*rates, strict=True)]
    print(
        f"The witness ({provider}): {ROUNDS} rounds of {CLASS.requests:,} connections of"
        f" {CLASS.users} users, with it and without in turn; medians"
    )
    print(f"{'':34} {'without':>9} {'with':>9} {'ratio':>7}   rounds")
    without, with_it = map(statistics.median, rates)
    print(
        f"{'connections/s':34} {without:9,.0f} {with_it:9,.0f} {statistics.median(ratios):7.3f}"
        f"   {min(ratios):.3f} .. {max(ratios):.3f}; to reach: {RATE_LIMIT}"
    )
    without, with_it = map(statistics.median, worked)
    print(
        f"{'all processes, us/connection':34} {without:9.1f} {with_it:9.1f}"
        f" {with_it / without:7.3f}"
    )
    share = cost * AT_RATE / 1e6
    print(
        f"{f'its own, of a core at {AT_RATE:,}/s':34} {'':9} {share:9.1%}"
        f"   to reach: {CPU_LIMIT:.0%}"
    )
    print(f"packets kept {sum(one[watched].packets for one in rounds):,}", end="; ")
    print(f"dropped {sum(one[watched].dropped for one in rounds):,}")


class Round:
    """What one round was like; `watch_us` and `worked_us` for each connection."""

    def __init__(self, rate: float, worked_for_s: float) -> None:
        self.rate = rate
        self.worked_us = worked_for_s / (CLASS.requests or 1) * 1e6
        self.watch_us = 0.0
        self.packets = self.dropped = 0


def measure(testbed: LabTestbed) -> Round:
    """One round."""
    service = testbed.begin(ServiceSpec("lc", (1,) * SERVERS))
    target = service.target
    watch = testbed.packet_watch
    if watch:
        watch.begin(service)
    taker = gevent.spawn(take, testbed)
    sockets = LabSockets(testbed.socket_broker)
    worked = worked_s()
    rate, _, _ = ours((target.host, target.port), CLASS, sockets)
    found = Round(rate, worked_s() - worked)
    sockets.close()
    taker.kill()
    if watch:
        gevent.sleep(0.5)  # for the last ends
        seen = watch.end()
        found.packets, found.dropped = len(seen.table), seen.dropped
        found.watch_us = seen.cpu_s / (CLASS.requests or 1) * 1e6
    testbed.end()
    return found


def take(testbed: LabTestbed) -> None:
    """As a run does with each sample."""
    while testbed.packet_watch:
        testbed.packet_watch.take()
        gevent.sleep(_TAKEN_EACH)


def worked_s() -> float:
    """Seconds of processor that this process and all its descendants have worked until now."""
    parents, worked = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(path.parent.name)] = int(fields[1])
        worked[int(path.parent.name)] = sum(map(int, fields[11:13]))
    mine = {os.getpid()}
    while more := {one for one, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return sum(worked[one] for one in mine) / os.sysconf("SC_CLK_TCK")


@contextmanager
def labs(kernel: str) -> Iterator[tuple[LabTestbed, LabTestbed]]:
    """One that is not watched, and one that is."""
    topology = Topology(servers=SERVERS, clients=4)
    plain, watched = (LabTestbed(topology, kernel=kernel, watched=one) for one in (False, True))
    try:
        for testbed in (plain, watched):
            testbed.start()
        for testbed in (plain, watched):
            testbed.wait_ready()
        yield plain, watched
    finally:
        for testbed in (plain, watched):
            testbed.close()


if __name__ == "__main__":
    main()
