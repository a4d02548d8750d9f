"""One of the lab's real servers beside a benchmark, with no lab around it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_server(name: str) -> Iterator[None]:
    """It listens at `name`, an address:port of this machine, in a process of its own."""
    command = [sys.executable, "-m", "ipvsload.testbed.lab.real_servers"]
    # What it reads ends with the block, and with that it ends.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as servers:
        assert servers.stdin
        assert servers.stdout
        servers.stdin.write(json.dumps({"add": name}).encode() + b"\n")
        servers.stdin.flush()
        said = [json.loads(servers.stdout.readline()) for _ in range(2)]
        assert said == [{"ready": True}, {"added": name}], said
        yield
