"""Our users beside `ab` on loopback: no director, a core for the generator, one for the servers.

Run as `python -m benchmarks.load`.
"""

import json
import os
import subprocess
import sys
from typing import Literal

from benchmarks.versus import USERS, ab, errors, head, ours, row
from ipvsload.scenario.model import Traffic

ROUNDS = 5
TARGET = ("127.91.0.1", 18_080)
REQUESTS: dict[Literal["new", "keep-alive"], int] = {"new": 20_000, "keep-alive": 60_000}


def main() -> None:
    """Measure in turn, print medians."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-1:])
    command = [sys.executable, "-m", "ipvsload.testbed.lab.real_servers"]
    servers = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    os.sched_setaffinity(0, cores[:1])
    name = f"{TARGET[0]}:{TARGET[1]}"
    assert servers.stdin
    assert servers.stdout
    servers.stdin.write(json.dumps({"add": name}).encode() + b"\n")
    servers.stdin.flush()
    said = [json.loads(servers.stdout.readline()) for _ in range(2)]
    assert said == [{"ready": True}, {"added": name}], said
    head(f"On loopback, {ROUNDS} rounds in turn, each request recorded")
    for connection, requests in REQUESTS.items():
        spec = Traffic(users=USERS, requests=requests, connection=connection)
        theirs, mine = [], []
        for _ in range(ROUNDS):
            theirs.append(ab(f"http://{name}/ip", requests, *["-k"] * (connection != "new")))
            rate, records, _ = ours(TARGET, spec)
            assert not errors(records), errors(records)
            mine.append(rate)
        row({"new": "new connection each"}.get(connection, connection), theirs, mine)
    servers.stdin.close()
    servers.wait()


if __name__ == "__main__":
    main()
