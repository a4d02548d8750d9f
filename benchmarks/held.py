"""Fifty thousand requests held open at once through the lab, in as many processes as they need.

Run as `python -m benchmarks.held`, with the name of a kernel if not the first that works. The
scenario is held.yaml.
"""

import json
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from ipvsload.scenario.machine_limits import SPARE_FILES

SCENARIO = Path(__file__).with_name("held.yaml")
LOCUSTFILE = Path(__file__).parents[1] / "locustfiles" / "skew.py"
HELD = 50_000
WITHIN_S = 400
ROLES = {
    "linux.uml": "the director",
    "qemu-system": "the director",
    "real_servers": "the real servers",
    "bootstrap": "the lab's supervisor",
    "locust": "the load",
    "ipvsload": "the load",
}
"""By what the command line has."""


def main() -> None:
    """Hold them, print what became of them and how much memory it took."""
    kernel = sys.argv[1] if sys.argv[1:] else "auto"
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = (HELD if files == resource.RLIM_INFINITY else files) - 2 * SPARE_FILES
    processes = -(-HELD // room)
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "out")
        options = ["--kernel", kernel, "--out", str(out)]
        command = ["ipvsload", "run", str(SCENARIO), *options]
        if processes > 1:
            command = ["locust", "-f", str(LOCUSTFILE), "--headless", "--scenario", str(SCENARIO)]
            command += ["--processes", str(processes), *options]
            port = free_port()
            command += ["--master-port", port, "--master-bind-port", port]
        memory, status = watched([sys.executable, "-m", *command])
        tell(out, processes, status)
    for role, peaks in sorted(memory.items()):
        print(f"{role + ', MB':34} {sum(peaks.values()) / 1024:10,.0f}   {len(peaks)} processes")


def free_port() -> str:
    """For Locust's master: another may run on this machine."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return str(sock.getsockname()[1])


def watched(command: list[str]) -> tuple[dict[str, dict[int, int]], int]:
    """The most memory in KiB of each of its processes, by role, and the command's status."""
    memory: dict[str, dict[int, int]] = defaultdict(dict)
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
    end = time.monotonic() + WITHIN_S
    while process.poll() is None:
        if time.monotonic() > end:
            process.terminate()
        for pid, role, peak in peaks(process.pid):
            memory[role][pid] = max(peak, memory[role].get(pid, 0))
        time.sleep(1)
    return memory, process.returncode


def peaks(root: int) -> Iterator[tuple[int, str, int]]:
    """Of this process and those below it: role and greatest resident set, in KiB."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
    ours = {root}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    for pid in ours:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_text()
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        role = next((name for word, name in ROLES.items() if word in words), "")
        if role and "VmHWM:" in status:
            yield pid, role, int(status.partition("VmHWM:")[2].split()[0])


def tell(out: Path, processes: int, status: int) -> None:
    """What the record says."""
    (run,) = json.loads((out / "results.json").read_text())["runs"]
    held = run["traffic"]["held"]
    ended = [line for line in (out / "events.ndjson").read_text().splitlines() if "run-end" in line]
    timeouts = json.loads(ended[0])["data"]["retransmits"]
    provider = run["kernel"]["provider"]
    print(f"{HELD:,} requests held open at once ({provider}, {processes} processes load)")
    print(f"{'exit status':34} {status:10}   {'; '.join(run['reasons'])}")
    print(f"{'errors':34} {held['failures']:10,}   {held['errors'] or ''}")
    print(f"{'retransmission timeouts':34} {timeouts:10,}   to reach: 0")
    print(f"{'greatest sample of ActiveConn':34} {greatest_active(out):10,}   to reach: {HELD:,}")
    late = held["latency_ms"]
    print(f"{'latency p50, p99, max, s':34} {late['p50'] / 1e3:10.2f}", end="")
    print(f" {late['p99'] / 1e3:.2f} {late['max'] / 1e3:.2f}   of 45 s")


def greatest_active(out: Path) -> int:
    """The most active connections of all servers together in one sample."""
    most = 0
    with (out / "samples.ndjson").open() as lines:
        next(lines)
        for line in lines:
            for service in json.loads(line)["services"]:
                most = max(most, sum(server[2] for server in service["servers"]))
    return most


if __name__ == "__main__":
    main()
