"""The lab's real servers as a child process, on loopback addresses of this test's own."""

import _socket
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

from ipvsload.testbed.lab.source_ports import SourcePorts
from ipvsload.testbed.lab.topology import Topology
from tests.patience import HUNG_AFTER_S

# Each test process has a network of its own within 127.0.0.0/8.
_NETWORK = f"127.{1 + os.getpid() // 250 % 250}.{1 + os.getpid() % 250}"
_numbers = count()
# Below the ports that the kernel gives to connections (from 32,768): no connection of
# another test takes one between being asked for here and being used. Test processes that
# run at once have ports of their own, because one may listen at all addresses.
_SHARE = 1_500
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 13
_PORTS = range(10_000 + _WORKER * _SHARE, 10_000 + (_WORKER + 1) * _SHARE)
_port_numbers = count(61 * os.getpid())


def fresh_address() -> str:
    """A loopback address that this process has not used yet."""
    number = next(_numbers)
    assert number < 250
    return f"{_NETWORK}.{1 + number}"


def free_port(host: str) -> int:
    """A port that nobody has, here or at all addresses; each call gives another one.

    Of the host 0.0.0.0 nobody has it at any address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in _PORTS:
        port = _PORTS[next(_port_numbers) % len(_PORTS)]
        with socket.socket(family) as sock, contextlib.suppress(OSError):
            sock.bind((host, port))
            return port
    raise AssertionError(f"no port is free at {host}")


class RealServers:
    """The process.

    With `log`, it notes there the target of each request that it answers. It tells
    how busy the servers are to the socket `tell_to`. It may have so many `open_files`.
    """

    def __init__(
        self, log: Path | None = None, tell_to: int | None = None, open_files: int = 0
    ) -> None:
        module = (
            "ipvsload.testbed.lab.real_servers" if log is None else "tests.load.logging_servers"
        )
        limited = ["prlimit", f"--nofile={open_files}:{open_files}"] if open_files else []
        self.process = subprocess.Popen(
            [
                *limited,
                sys.executable,
                "-m",
                module,
                *(str(one) for one in (log, tell_to) if one is not None),
            ],
            pass_fds=() if tell_to is None else (tell_to,),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.hear() == {"ready": True}

    def tell(self, line: str) -> dict[str, Any]:
        """One line in, one line out."""
        assert self.process.stdin
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def add(self) -> tuple[str, int]:
        """One more server, somewhere; its address and port."""
        host = fresh_address()
        port = free_port(host)
        assert self.tell(json.dumps({"add": f"{host}:{port}"})) == {"added": f"{host}:{port}"}
        return host, port

    def close(self) -> None:
        """Its end of input; it must leave at once, with status 0."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        assert self.process.wait(HUNG_AFTER_S) == 0
        self.process.stdout.close()

    def __enter__(self) -> "RealServers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class BoundSockets:
    """Sockets that are bound to addresses of this machine in turn, as the lab's are."""

    def __init__(self, clients: Sequence[str]) -> None:
        self._sources = SourcePorts(clients, Topology())

    def take(self) -> tuple[Any, str, int]:
        sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            return sock, *self._sources.bind(sock)
        except OSError:
            sock.close()
            raise
