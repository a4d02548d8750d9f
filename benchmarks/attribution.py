"""What it costs to tell whom the kernel chose, by the size of its list of connections.

Boots a user-mode Linux and fills its list as another director would, by IPVS's own messages of
synchronisation. The sidecar's share is what the whole guest takes with it, less what it takes
without. Then a table of 5,000 services, as a pod's sidecar tells of it through a log.
Run as `python -m benchmarks.attribution`.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.sidecar import bare_uml

VIP, SERVERS = "192.0.2.80", [f"198.51.100.{n}" for n in (11, 12, 13, 14)]
KEY = f"tcp {VIP}:80"
SIZES = (100, 10_000, 1_000_000)
RATE = 2_000
"""New connections a second."""
SECONDS = 10
"""Of each figure."""
SETTLED = 20
"""Seconds until the sidecar has found out whether the list can be read."""
SERVICES = 5_000
_A_MESSAGE = 40
"""Connections in one, which fit an Ethernet frame."""
_TIME_WAIT = 5


def entry(number: int) -> bytes:
    """A struct ip_vs_sync_v4: one connection that has ended (net/netfilter/ipvs/ip_vs_sync.c)."""
    client = 0xC6120000 + number // 60_000  # 198.18.0.0/15
    host = SERVERS[number % len(SERVERS)]
    ports = 1024 + number % 60_000, 80, 80
    addresses = struct.pack("!I", client), socket.inet_aton(VIP), socket.inet_aton(host)
    return struct.pack("!BBHIHHHHII", 0, 6, 36, 0x100, _TIME_WAIT, *ports, 0, 3000) + b"".join(
        addresses
    )


def fill(begin: int, end: int) -> None:
    """Have the guest's kernel remember connections with these numbers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        link = socket.inet_aton("203.0.113.1")
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, link)
        for at in range(begin, end, _A_MESSAGE):
            entries = [entry(number) for number in range(at, min(end, at + _A_MESSAGE))]
            body = b"".join(entries)
            head = struct.pack("!BBHBbH", 0, 0, 8 + len(body), len(entries), 1, 0)
            out.sendto(head + body, ("224.0.0.81", 8848))
            if at // _A_MESSAGE % 50 == 49:
                time.sleep(0.002)


def remembered(ipvs: Any) -> int:
    """How many the kernel has."""
    return sum(row[3] + row[4] for _, batch in ipvs.table() for _, rows in batch for row in rows)


@contextmanager
def asking(rate: int) -> Iterator[None]:
    """So many SYNs a second for the virtual service; nobody answers them."""
    child = os.fork() if rate else 0
    if rate and child == 0:
        try:
            ask(rate)
        finally:
            os._exit(1)
    try:
        yield
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def ask(rate: int) -> None:
    """Until it is killed. What it is late with is left out, so that each second costs the same."""
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    vip, sent = socket.inet_aton(VIP), os.getpid() * 1_000_000
    while True:
        for _ in range(rate // 100):
            sent += 1
            client = struct.pack("!I", 0xCB007100 + sent // 60_000 % 256)  # 203.0.113.0/24
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, client, vip)
            tcp = struct.pack("!HHIIBBHHH", 1024 + sent % 60_000, 80, 1, 0, 0x50, 2, 9999, 0, 0)
            out.sendto(head + tcp, (VIP, 0))
        time.sleep(0.01)


class Sidecar:
    """`collect` or a pod's sidecar in a child, writing to a file."""

    def __init__(self, module: str, *options: str) -> None:
        self.path = Path("/run/said")
        theirs, self.stdin = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.dup2(theirs, 0)
            os.dup2(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os._exit(import_module(f"ipvsload.sidecar.{module}").main(["--hz", "10", *options]))

    def end(self) -> list[dict[str, Any]]:
        """What it said."""
        os.kill(self._pid, signal.SIGTERM)
        os.waitpid(self._pid, 0)
        os.close(self.stdin)
        with self.path.open() as file:
            return [json.loads(line) for line in file]


def measure(name: str, rate: int) -> None:
    """The guest without the sidecar and with it, between two reports each."""
    with asking(rate):
        time.sleep(1)
        between(f"{name} without")
        sidecar = Sidecar("collect")
        time.sleep(2)
        between(f"{name} samples only")
        os.write(sidecar.stdin, f"connections {VIP}:80\n".encode())
        time.sleep(SETTLED)
        begun = time.monotonic_ns()
        between(f"{name} with")
        ended = time.monotonic_ns()
        lines = sidecar.end()
    told = [len(one["connections"]) for one in lines if begun < one.get("t", 0) < ended
            and "connections" in one]  # fmt: skip
    reads = [one["connections_read"] for one in lines if "connections_read" in one]
    counts = [one["n"] for one in lines if "services" in one and begun < one["t"] < ended]
    due = (ended - begun) / 1e8
    bare_uml.report(**{name: {
        "told": sum(told), "asked": asked(lines, begun, ended),
        "source": reads[-1]["source"], "why": reads[-1]["why"],
        "missed": max(0, round(due) - len(counts) - 1), "lines": len(reads),
    }})  # fmt: skip


def asked(lines: list[dict[str, Any]], begun: int, ended: int) -> float:
    """New connections a second meanwhile, as the kernel counts them (every 2 s)."""
    counts = [
        (line["t"], sum(one["conns"] for one in line["services"]))
        for line in lines
        if "services" in line and begun < line["t"] < ended
    ]
    changes = [b for a, b in pairwise(counts) if a[1] != b[1]]
    if len(changes) < 2:
        return 0.0
    (first, before), (last, after) = changes[0], changes[-1]
    return float((after - before) / (last - first) * 1e9)


def between(name: str) -> None:
    """Two reports with some time in between."""
    bare_uml.report(**{f"{name} from": time.monotonic()})
    time.sleep(SECONDS)
    bare_uml.report(**{f"{name} to": time.monotonic()})


def log_bytes(ipvs: Any) -> dict[str, float]:
    """Bytes a second of a pod's log, and of all services, with new connections all the while."""
    for number in range(SERVICES - 1):
        key = f"tcp 192.0.2.81:{10_000 + number}"
        ipvs.add_service(key, "rr")
        for host in SERVERS[:2]:
            ipvs.add_server(key, f"{host}:80", 1)
    found = {}
    for module, options in (("pod", ["--service", ":80"]), ("collect", [])):
        with asking(RATE // 2):
            sidecar = Sidecar(module, *options)
            time.sleep(SETTLED)
            before = sidecar.path.stat().st_size
            time.sleep(10)
            found[module] = (sidecar.path.stat().st_size - before) / 10
            sidecar.end()
    return found


def inside() -> None:
    """In the guest."""
    from ipvsload.ipvs.client import Ipvs

    bare_uml.modprobe("ip_vs", "ip_vs_rr", "dummy")
    for words in (
        "link set lo up", "link add sync type dummy", "address add 203.0.113.1/32 dev sync",
        "link set sync up multicast on", "route add 224.0.0.0/4 dev sync",
        "link add servers type dummy", "address add 198.51.100.1/24 dev servers",
        "link set servers up", f"address add {VIP}/32 dev lo",
    ):  # fmt: skip
        subprocess.run(["ip", *words.split()], check=True)
    subprocess.run(["ipvsadm", "--start-daemon", "backup", "--mcast-interface", "sync"], check=True)
    with Ipvs() as ipvs:
        ipvs.add_service(KEY, "rr")
        for host in SERVERS:
            ipvs.add_server(KEY, f"{host}:80", 1)
        have = 0
        for size in SIZES:
            fill(have, size)
            have = size
            time.sleep(2)
            bare_uml.report(**{f"{size} has": remembered(ipvs)})
            measure(f"{size}", 0)
        measure(f"{size} asked", RATE)
        bare_uml.report(log=log_bytes(ipvs))
    bare_uml.report(done=True)


def share(found: dict[str, Any], name: str) -> float:
    """CPU seconds a second that the whole guest took meanwhile."""
    spent = found[f"cpu {name} to"] - found[f"cpu {name} from"]
    return float(spent / (found[f"{name} to"] - found[f"{name} from"]))


def show(found: dict[str, Any]) -> None:
    """The table that a person reads."""
    say = sys.stdout.write
    say("Telling each connection of one service, at 10 samples a second: share of one core\n")
    say(f"{'entries':>9} {'new/s':>6} {'told/s':>6} {'samples':>8} {'and all':>8} {'missed':>7}")
    say("  source\n")
    for size in SIZES:
        for name in (f"{size}", f"{size} asked"):
            if name not in found:
                continue
            one, idle = found[name], share(found, f"{name} without")
            say(f"{found[f'{size} has']:>9} {one['asked']:>6.0f} {one['told'] / SECONDS:>6.0f} ")
            say(f"{share(found, f'{name} samples only') - idle:>8.1%} ")
            say(f"{share(found, f'{name} with') - idle:>8.1%} {one['missed']:>7} ")
            say(f" {one['source']} {one['why']}\n")
    pod, everything = found["log"]["pod"], found["log"]["collect"]
    say(f"\nA pod's log, {SERVICES} services of which one is under test, {RATE // 2} new/s: ")
    say(f"{pod / 1e3:.1f} kB/s; samples of all services would be {everything / 1e3:.0f} kB/s\n")


def main() -> int:
    """Boots, measures, shows."""
    if missing := bare_uml.missing():
        sys.stderr.write(missing + "\n")
        return 3
    with tempfile.TemporaryDirectory() as directory:
        program = Path(__file__).resolve()
        show(bare_uml.run(program, Path(directory), timeout=900, memory="1400M"))
    return 0


if __name__ == "__main__" and os.getpid() == 1:
    bare_uml.be_init(inside)
elif __name__ == "__main__":
    sys.exit(main())
