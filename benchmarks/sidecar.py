"""What the sidecar costs beside the kernel, and how evenly it ticks.

Boots a user-mode Linux, and in it reads the same table in turn with the
sidecar and with `ipvsadm -ln --stats`: the machines differ, the ratio does not.
Run as `python -m benchmarks.sidecar`.
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

from tests.sidecar import bare_uml

ROUNDS = 5
SIZES = (2, 1000)
RATES = (10, 50)
KEY = "tcp 192.0.2.80:80"


def cpu(who: int) -> float:
    """Seconds of CPU so far, user's and system's."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def ours(ipvs: Any, samples: int) -> float:
    """CPU seconds a sample: reading, decoding, formatting and writing it."""
    from ipvsload.sidecar.lines import SampleFormatter

    lines = SampleFormatter()
    with Path("/dev/null").open("wb", buffering=0) as sink:
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


def ticking(name: str, hz: int, count: int) -> None:
    """The whole program at `hz`, between two reports; then how far its ticks are off the grid."""
    path = Path(f"/run/{name}")
    child = os.fork()
    if child == 0:
        from ipvsload.sidecar.collect import main

        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), 1)
        os._exit(main(["--hz", str(hz), "--count", str(count)]))
    time.sleep(1)  # its start does not count
    bare_uml.report(**{f"{name} from": time.monotonic()})
    os.waitpid(child, 0)
    bare_uml.report(**{f"{name} to": time.monotonic()})
    with path.open() as file:
        lines = [json.loads(line) for line in file]
    path.unlink()
    period = 1_000_000_000 // hz
    begun = [line["t"] - line["took"] // 2 for line in lines[1:-1]]
    phase = sorted((t - begun[0] + period // 2) % period for t in begun)[len(begun) // 2]
    off = sorted(abs((t - begun[0] + period // 2) % period - phase) / 1e6 for t in begun)
    p50, p99, most = off[len(off) // 2], off[int(len(off) * 0.99)], off[-1]
    bare_uml.report(**{name: [p50, p99, most, lines[-1]["missed"]]})


def inside() -> None:
    """In the guest."""
    from ipvsload.ipvs.client import Ipvs

    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    bare_uml.modprobe("ip_vs", "ip_vs_rr")
    with Ipvs() as ipvs:
        ipvs.add_service(KEY, "rr")
        servers, costs = 0, []
        bare_uml.report(**{"idle from": time.monotonic()})
        time.sleep(5)
        bare_uml.report(**{"idle to": time.monotonic()})
        for size in SIZES:
            while servers < size:
                ipvs.add_server(KEY, f"198.51.{100 + servers // 250}.{1 + servers % 250}:80", 1)
                servers += 1
            ours(ipvs, 3)
            ipvsadm(1)
            costs += [(size, ours(ipvs, 50_000 // (size + 50)), ipvsadm(10)) for _ in range(ROUNDS)]
            for hz in RATES:
                ticking(f"{size} at {hz}", hz, 10 * hz)
    bare_uml.report(costs=costs, done=True)


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
    say("\nThe program at work: share of one CPU, seen from outside, and ms off the grid\n")
    say(f"{'servers':>8} {'hz':>4} {'cpu':>7} {'p50':>7} {'p99':>7} {'max':>7} {'missed':>7}\n")
    idle = share(found, "idle")
    for size in SIZES:
        for hz in RATES:
            name = f"{size} at {hz}"
            p50, p99, most, missed = found[name]
            say(f"{size:>8} {hz:>4} {share(found, name) - idle:>7.1%} ")
            say(f"{p50:>7.2f} {p99:>7.2f} {most:>7.2f} {missed:>7}\n")


def share(found: dict[str, Any], name: str) -> float:
    """CPU seconds a second that the whole guest took meanwhile."""
    spent = found[f"cpu {name} to"] - found[f"cpu {name} from"]
    return float(spent / (found[f"{name} to"] - found[f"{name} from"]))


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
