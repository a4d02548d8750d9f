"""Faults of the lab's real servers, as their clients meet them. Each test kills its server."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.lab.asking import Target, connect, get
from tests.load.real import RealServers

AWAY = 0.15
"""Seconds in which a server that is there would have answered long since."""


@pytest.fixture(scope="module")
def servers() -> Iterator[RealServers]:
    with RealServers() as found:
        yield found


@pytest.fixture
def target(servers: RealServers) -> Target:
    return servers.add()


def tell(servers: RealServers, verb: str, target: Target, **more: float) -> None:
    name = f"{target[0]}:{target[1]}"
    assert name in servers.tell(json.dumps({verb: name, **more})).values()


def ask(sock: socket.socket, path: str = "/ip") -> None:
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: there\r\n\r\n".encode())


def silent(sock: socket.socket) -> bool:
    """Whether nothing comes for a while; the socket has its usual timeout again then."""
    usual = sock.gettimeout()
    sock.settimeout(AWAY)
    try:
        sock.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(usual)
    return False


def test_a_frozen_server_takes_connections_and_answers_when_it_is_thawed(
    servers: RealServers, target: Target
) -> None:
    with connect(target) as before, connect(target) as working:
        ask(working, "/delay/0.05")
        tell(servers, "freeze", target)
        ask(before)
        with connect(target) as after:
            ask(after)
            assert silent(before)
            assert silent(working)
            assert silent(after)
            tell(servers, "thaw", target)
            for sock in (before, working, after):
                assert sock.recv(12) == b"HTTP/1.1 200"


def test_what_is_sent_to_a_vanished_server_is_lost_and_arrives_when_it_returns(
    servers: RealServers, target: Target
) -> None:
    with connect(target) as before, connect(target) as working, socket.socket() as stranger:
        ask(working, "/delay/0.05")
        tell(servers, "vanish", target)
        ask(before)
        stranger.settimeout(AWAY)
        with pytest.raises(TimeoutError):  # no RST either
            stranger.connect(target)
        assert silent(before)
        assert silent(working)
        tell(servers, "return", target)
        for sock in (before, working):  # TCP sends again
            assert sock.recv(12) == b"HTTP/1.1 200"
    assert get(target, "/ip")[0] == 200


def test_a_restarted_server_resets_what_it_had_and_is_well(
    servers: RealServers, target: Target
) -> None:
    with connect(target) as before:
        ask(before, "/delay/9")
        tell(servers, "freeze", target)
        tell(servers, "restart", target)
        with pytest.raises(ConnectionResetError):
            before.recv(1)
    assert get(target, "/ip")[0] == 200
    tell(servers, "vanish", target)
    tell(servers, "restart", target)
    assert get(target, "/ip")[0] == 200
    tell(servers, "kill", target)
    tell(servers, "restart", target)
    assert get(target, "/ip")[0] == 200


def test_a_slow_server_takes_longer_for_the_work_that_it_has_begun_too(
    servers: RealServers, target: Target
) -> None:
    """One worker at a millionth of its speed is at work until it is fast again."""
    name = f"{target[0]}:{target[1]}"
    assert servers.tell(json.dumps({"limit": [name], "workers": 1}))
    with connect(target) as working, connect(target) as queued:
        ask(working, "/delay/0.1")
        tell(servers, "speed", target, factor=1e-6)
        ask(queued)
        assert silent(working)
        assert silent(queued)
        tell(servers, "speed", target, factor=1000)
        for sock in (working, queued):
            assert sock.recv(12) == b"HTTP/1.1 200"


def test_a_frozen_server_with_a_capacity_does_no_work(servers: RealServers, target: Target) -> None:
    name = f"{target[0]}:{target[1]}"
    assert servers.tell(json.dumps({"limit": [name], "workers": 1}))
    with connect(target) as working:
        ask(working, "/delay/0.1")
        tell(servers, "freeze", target)
        assert silent(working)
        tell(servers, "thaw", target)
        assert working.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("factor", ["0", "-1", "NaN", '"1"'])
def test_what_is_no_speed_is_refused(servers: RealServers, target: Target, factor: str) -> None:
    line = f'{{"speed": "{target[0]}:{target[1]}", "factor": {factor}}}'
    assert "error" in servers.tell(line)
