"""What the sidecar costs beside the kernel, and how evenly it ticks.

Boots a user-mode Linux, and in it reads the same table in turn with the
sidecar and with `ipvsadm -ln --stats`: the machines differ, the ratio does not.
Run as `python benchmarks/sidecar.py`.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "sidecar"))

import bare_uml

ROUNDS = 5
SIZES = (2, 1000)
KEY = "tcp 192.0.2.80:80"


def cpu(who: int) -> float:
    """Seconds of CPU so far, user's and system's."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def ours(ipvs: Any, samples: int) -> float:
    """CPU seconds a sample: reading, decoding, formatting and writing it."""
    from ipvsload.sidecar.lines import Lines

    lines = Lines()
    with open("/dev/null", "wb", buffering=0) as sink:
        before = cpu(resource.RUSAGE_SELF)
        for n in range(samples):
            sink.write(lines.sample(n, 0, 0, ipvs.table()).encode())
        return (cpu(resource.RUSAGE_SELF) - before) / samples


def ipvsadm(samples: int) -> float:
    """CPU seconds a listing, the program's own start included."""
    before = cpu(resource.RUSAGE_CHILDREN)
    for _ in range(samples):
        subprocess.run(
            ["ipvsadm", "-ln", "--stats"], stdout=subprocess.DEVNULL, check=True, close_fds=False
        )
    return (cpu(resource.RUSAGE_CHILDREN) - before) / samples


def ticking(hz: int, count: int) -> dict[str, float]:
    """The whole program at `hz`: share of one CPU, and how far ticks are off their grid, in ms."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        from ipvsload.sidecar.collect import main

        os.dup2(write, 1)
        os._exit(main(["--hz", str(hz), "--count", str(count)]))
    os.close(write)
    before, start = cpu(resource.RUSAGE_CHILDREN), time.monotonic()
    with os.fdopen(read) as stream:
        lines = [json.loads(line) for line in stream]
    os.waitpid(child, 0)
    spent, seconds = cpu(resource.RUSAGE_CHILDREN) - before, time.monotonic() - start
    begun = [line["t"] - line["took"] // 2 for line in lines[1:-1]]
    off = sorted((t - begun[0]) % (1_000_000_000 // hz) / 1e6 for t in begun)
    off = sorted(min(value, 1000 / hz - value) for value in off)
    return {
        "hz": hz,
        "cpu": spent / seconds,
        "p50": off[len(off) // 2],
        "p99": off[int(len(off) * 0.99)],
        "max": off[-1],
        "missed": lines[-1]["missed"],
    }


def inside() -> None:
    """In the guest."""
    from ipvsload.sidecar.ipvs import Ipvs

    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    bare_uml.modprobe("ip_vs", "ip_vs_rr")
    with Ipvs() as ipvs:
        ipvs.add_service(KEY, "rr")
        servers, costs, ticks = 0, [], []
        for size in SIZES:
            while servers < size:
                ipvs.add_server(KEY, f"198.51.{100 + servers // 250}.{1 + servers % 250}:80", 1)
                servers += 1
            ours(ipvs, 3)
            ipvsadm(1)
            for _ in range(ROUNDS):
                costs.append((size, ours(ipvs, 50), ipvsadm(10)))
            ticks += [{"servers": size, **ticking(10, 100)}, {"servers": size, **ticking(50, 250)}]
    bare_uml.report(costs=costs, ticks=ticks, done=True)


def show(found: dict[str, Any]) -> None:
    """The table that a person reads."""
    say = sys.stdout.write
    say("CPU a sample, ms (median of rounds taken in turn)\n")
    say(f"{'servers':>8} {'sidecar':>9} {'ipvsadm':>9} {'ratio':>7} {'worst':>7}\n")
    for size in SIZES:
        rounds = [(a, b) for n, a, b in found["costs"] if n == size]
        mine, theirs = (sorted(column)[len(rounds) // 2] for column in zip(*rounds, strict=True))
        ratios = sorted(a / b for a, b in rounds)
        say(f"{size:>8} {mine * 1e3:>9.2f} {theirs * 1e3:>9.2f} ")
        say(f"{ratios[len(ratios) // 2]:>7.3f} {ratios[-1]:>7.3f}\n")
    say("\nThe program at work: share of one CPU, and ms off the grid\n")
    say(f"{'servers':>8} {'hz':>4} {'cpu':>7} {'p50':>7} {'p99':>7} {'max':>7} {'missed':>7}\n")
    for one in found["ticks"]:
        say(f"{one['servers']:>8} {one['hz']:>4} {one['cpu']:>7.1%} {one['p50']:>7.2f} ")
        say(f"{one['p99']:>7.2f} {one['max']:>7.2f} {one['missed']:>7}\n")


def main() -> int:
    """Boots, measures, shows."""
    if missing := bare_uml.missing():
        sys.stderr.write(missing + "\n")
        return 3
    with tempfile.TemporaryDirectory() as directory:
        show(bare_uml.run(Path(__file__).resolve(), Path(directory), timeout=300))
    return 0


if __name__ == "__main__" and os.getpid() == 1:
    bare_uml.be_init(inside)
elif __name__ == "__main__":
    sys.exit(main())
