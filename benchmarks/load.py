"""Our users beside `ab` on loopback: no director, a core for the generator, one for the servers.

Run as `python benchmarks/load.py`.
"""

import json
import os
import subprocess
import sys

from versus import USERS, ab, errors, head, ours, row

from ipvsload.scenario.model import Traffic

ROUNDS = 5
PORT = 18_080
REQUESTS = {"new": 20_000, "keep-alive": 60_000}


def main() -> None:
    """Measure in turn, print medians."""
    cores = sorted(os.sched_getaffinity(0))
    servers = subprocess.Popen(
        [sys.executable, "-m", "ipvsload.testbed.lab.realservers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert servers.stdin and servers.stdout
    os.sched_setaffinity(servers.pid, cores[-1:])
    os.sched_setaffinity(0, cores[:1])
    target = ("127.91.0.1", PORT)
    name = f"{target[0]}:{target[1]}"
    servers.stdin.write(json.dumps({"add": name}).encode() + b"\n")
    servers.stdin.flush()
    assert [servers.stdout.readline() for _ in range(2)][-1] == b'{"added": "%s"}\n' % name.encode()
    head(f"On loopback, {ROUNDS} rounds in turn, each request recorded")
    for connection, requests in REQUESTS.items():
        spec = Traffic(users=USERS, requests=requests, connection=connection)
        theirs, mine = [], []
        for _ in range(ROUNDS):
            theirs.append(ab(f"http://{name}/ip", requests, *["-k"] * (connection != "new")))
            rate, records, _ = ours(target, spec)
            assert len(records) == requests and not errors(records), errors(records)
            mine.append(rate)
        row({"new": "new connection each"}.get(connection, connection), theirs, mine)
    servers.stdin.close()
    servers.wait()


if __name__ == "__main__":
    main()
