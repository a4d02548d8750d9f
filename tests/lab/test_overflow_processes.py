"""More connections are held open than the real servers' process may have open files."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.lab.asking import Target, connect, get
from tests.load.real import RealServers

OPEN_FILES = 256
HELD = 400
ASK = b"GET /delay/%g HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def servers() -> Iterator[RealServers]:
    with RealServers(open_files=OPEN_FILES) as found:
        yield found


@contextmanager
def held(target: Target, seconds: float) -> Iterator[list[socket.socket]]:
    """So many connections whose requests take so long."""
    with ExitStack() as undo:
        found = [undo.enter_context(connect(target)) for _ in range(HELD)]
        for sock in found:
            sock.sendall(ASK % seconds)
        yield found


def processes(servers: RealServers) -> int:
    """How many have taken connections over."""
    pid = servers.process.pid
    return len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def test_each_request_is_answered_and_connections_are_kept(servers: RealServers) -> None:
    target = servers.add()
    with held(target, 1) as connections:
        assert get(target, "/ip")[0] == 200
        assert processes(servers) > 0
        for sock in connections:
            assert sock.recv(65_536).startswith(b"HTTP/1.1 200 ")
        for sock in connections[:: HELD // 20]:
            sock.sendall(b"GET /ip HTTP/1.1\r\nConnection: close\r\n\r\n")
            assert b"X-Real-Server: %s:%d" % (target[0].encode(), target[1]) in sock.recv(65_536)
            assert sock.recv(1) == b""


def test_a_server_that_is_killed_is_killed_in_all_processes(servers: RealServers) -> None:
    victim, other = servers.add(), servers.add()
    name = f"{victim[0]}:{victim[1]}"
    with held(victim, 30) as connections, connect(other) as spared:
        spared.sendall(ASK % 0.5)
        assert get(other, "/ip")[0] == 200
        assert servers.tell(json.dumps({"kill": name})) == {"killed": name}
        for sock in connections:
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        assert spared.recv(65_536).startswith(b"HTTP/1.1 200 ")
    assert servers.tell(json.dumps({"add": name})) == {"added": name}
    assert get(victim, "/ip")[0] == 200
