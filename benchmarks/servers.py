"""What the process costs that plays a thousand real servers with workers and queues.

Run as `python -m benchmarks.servers`, with the name of a kernel if not the first that works.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

import gevent

from benchmarks.versus import errors, ours
from ipvsload.experiment.monotonic_clock import MonotonicClock
from ipvsload.experiment.occupancy_reader import OccupancyReader
from ipvsload.scenario.capacity import Capacity
from ipvsload.scenario.model import Traffic
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.lab.broker_client import LabSockets
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import Topology

SERVERS = 1_000
CLASS = {
    "request": "GET /delay/{work}",
    "work": "exponential 20ms",
    "rate": 1_000.0,
    "arrivals": "poisson",
    "requests": 20_000,
}
HZ = 10.0
LIMIT = 1 / 3


def main() -> None:
    """Bring a lab up, send the requests, print how much of a core the servers used."""
    kernel = sys.argv[1] if sys.argv[1:] else "auto"
    testbed = LabTestbed(Topology(servers=SERVERS), kernel=kernel)
    testbed.start()
    try:
        testbed.wait_ready()
        measure(testbed, real_servers_process())
    finally:
        testbed.close()


def measure(testbed: LabTestbed, process: int) -> None:
    """While it tells how busy the servers are, as in a run."""
    samples: list[Any] = []
    pipe = testbed.open_occupancy(HZ)
    reader = OccupancyReader(pipe, MonotonicClock(), samples.append)
    target = testbed.begin(ServiceSpec("rr", (1,) * SERVERS, Capacity(workers=8, queue=100))).target
    gevent.sleep(1)
    idle, began = cpu_s(process), time.monotonic()
    gevent.sleep(3)
    idle = (cpu_s(process) - idle) / (time.monotonic() - began)
    before, began = cpu_s(process), time.monotonic()
    sockets = LabSockets(testbed.socket_broker)
    rate, requests, _ = ours((target.host, target.port), Traffic.model_validate(CLASS), sockets)
    share = (cpu_s(process) - before) / (time.monotonic() - began)
    reader.close()
    told = samples[-1].servers
    print(
        f"{SERVERS:,} real servers, 8 workers each, {rate:,.0f} requests/s"
        f" ({testbed.kernel['provider']}); to reach: {LIMIT:.2f}"
    )
    print(f"{'their process, of a core':28} {share:8.2f}")
    print(f"{'the same without requests':28} {idle:8.2f}")
    print(f"{'servers that told':28} {len(told):8,}")
    print(f"{'requests that they took':28} {sum(server.requests for server in told):8,}")
    print(f"{'errors':28} {sum(errors(requests).values()):8} {dict(errors(requests)) or ''}")


def real_servers_process() -> int:
    """The process below this one that is the real servers."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            if b"ipvsload.testbed.lab.real_servers" in words and below_us(int(path.parent.name)):
                return int(path.parent.name)
        except OSError:  # it has ended meanwhile
            continue
    raise AssertionError("the real servers' process is not there")


def below_us(pid: int) -> bool:
    """Whether this process is an ancestor of that one."""
    while pid > 1 and pid != os.getpid():
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid == os.getpid()


def cpu_s(pid: int) -> float:
    """Seconds of a core that a process has used."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
