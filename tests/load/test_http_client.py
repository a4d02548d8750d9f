"""The client against good and evil servers: each request ends once, and says how."""

import socket
import time
from pathlib import Path
from typing import Any

import gevent
import pytest

from ipvsload.errors import TestbedError
from ipvsload.load import closing_connections
from ipvsload.load.http_client import HttpClient
from ipvsload.scenario.url import HttpTarget
from ipvsload.testbed.lab.topology import SOURCE_PORTS
from tests.load.real import BoundSockets, fresh_address
from tests.load.sending import (
    OK,
    Handler,
    Record,
    Sending,
    Server,
    answering,
    once,
    read_request,
    resetting,
    silent,
    until,
)

Target = tuple[str, int]


def against(handle: Handler, **spec: Any) -> list[Record]:
    """What became of one user's requests to such a server."""
    with Server(handle) as server, Sending(server.target) as sending:
        return sending.play(**{"users": 1, "requests": 1, **spec})


def one(handle: Handler, **spec: Any) -> Record:
    (record,) = against(handle, **spec)
    return record


@pytest.mark.parametrize("connection", ["new", "keep-alive"])
def test_real_servers(target: Target, connection: str) -> None:
    with Sending(target) as sending:
        records = sending.play(users=3, requests=50, connection=connection, request="GET /get?x=1")
    assert len(records) == 50
    assert {(r.status, r.error, r.client) for r in records} == {(200, None, "127.0.0.1")}
    assert {r.server for r in records} == {f"{target[0]}:{target[1]}"}
    assert all(r.size > 100 for r in records)
    connections = len({r.port for r in records})
    if connection == "new":
        assert not any(r.reused for r in records)
        assert connections == 50
    else:
        assert connections == sum(not r.reused for r in records) == 3


def test_a_user_has_one_connection_at_a_time() -> None:
    closed: list[int] = []

    def handle(sock: Any, address: Any) -> None:
        read_request(sock)
        assert not open_now, "the last connection is still open"
        open_now.append(address)
        sock.sendall(OK)
        gevent.sleep(0.002)  # time in which the next request could come
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)  # until the client has closed, too
        open_now.remove(address)
        closed.append(address)

    open_now: list[Any] = []
    assert {r.error for r in against(handle, requests=20)} == {None}
    assert len(closed) >= 19


def test_statuses_of_400_and_more_are_answers_that_count_as_failures(target: Target) -> None:
    with Sending(target) as sending:
        workload = sending.workload(users=1, requests=3, request="GET /status/503")
        workload.start()
        workload.over.wait()
        assert workload.failures == 3
    assert {(r.status, r.error) for r in sending.records} == {(503, None)}


@pytest.mark.parametrize(
    ("handle", "error"),
    [
        (resetting, "reset"),
        (once(b""), "closed"),
        (once(b"HTTP/1.1 200 OK\r\nContent-Le"), "closed"),
        (once(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), "closed"),
        (once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), "closed"),
        (once(b"\x16\x03\x01\x02\x00 garbage \r\n\r\n"), "malformed"),
        (once(b"x" * 100_000), "malformed"),
        (once(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "malformed"),
    ],
)
@pytest.mark.parametrize("connection", ["new", "keep-alive"])
def test_what_a_server_does_wrong_is_named(handle: Handler, error: str, connection: str) -> None:
    assert one(handle, connection=connection).error == error


@pytest.mark.parametrize("handle", [silent, answering(b"HTTP/1.1 200 OK\r\nX: y\r\n")])
def test_no_answer_in_time(handle: Handler) -> None:
    record = one(handle, timeout=0.05)
    assert record.error == "timeout"
    assert record.end - record.start >= 50_000_000


def test_an_answer_that_never_ends_times_out() -> None:
    def drip(sock: Any, _: Any) -> None:
        read_request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sock.sendall(b"x" * 1000)
            gevent.sleep(0.001)

    record = one(drip, timeout=0.1)
    assert record.error == "timeout"
    assert record.size > 1000


def test_timeouts_are_each_requests_own() -> None:
    records = against(silent, users=5, requests=15, timeout=0.03)
    assert [r.error for r in records] == ["timeout"] * 15
    assert all(r.end - r.start >= 30_000_000 for r in records)


def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with Sending(held.getsockname()) as sending:
            records = sending.play(users=2, requests=10)
    assert [r.error for r in records] == ["refused"] * 10


@pytest.mark.parametrize(
    ("answer", "size"),
    [
        (OK, 2),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 13),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + OK, 2),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 3),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000, 1_000_000),
    ],
)
@pytest.mark.parametrize("connection", ["new", "keep-alive"])
def test_every_framing(answer: bytes, size: int, connection: str) -> None:
    records = against(once(answer), requests=3, connection=connection)
    assert [(r.status, r.size, r.error) for r in records] == [(200, size, None)] * 3


def test_an_answer_in_single_bytes() -> None:
    def drip(sock: Any, _: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        read_request(sock)
        for byte in OK:
            sock.sendall(bytes([byte]))
            gevent.sleep(0)

    assert one(drip).status == 200


def test_surplus_bytes_spoil_the_connection_and_not_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(closing_connections, "CLOSE_WITHIN_NS", 20_000_000)
    records = against(answering(OK + b"more"), requests=3, connection="keep-alive")
    assert [(r.status, r.size, r.reused) for r in records] == [(200, 2, False)] * 3


def test_a_server_that_does_not_close_is_closed_by_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing_connections, "CLOSE_WITHIN_NS", 20_000_000)
    records = against(answering(OK), users=3, requests=9)
    assert [(r.error, r.reused) for r in records] == [(None, False)] * 9


# Sources


def test_connections_come_from_the_sources_and_pass_over_ports_in_use(target: Target) -> None:
    clients = [fresh_address(), fresh_address()]
    with socket.socket() as held, Sending(target, BoundSockets(clients)) as sending:
        held.bind((clients[0], SOURCE_PORTS.start + 1))
        records = sending.play(users=1, requests=5)
    p, (a, b) = SOURCE_PORTS.start, clients
    assert [(r.client, r.port) for r in records] == [
        (a, p),
        (b, p),
        (b, p + 1),
        (a, p + 2),
        (b, p + 2),
    ]
    assert {r.error for r in records} == {None}


def test_a_source_that_is_not_here_is_named(target: Target) -> None:
    with Sending(target, BoundSockets(["192.0.2.1"])) as sending:
        assert {r.error for r in sending.play(users=1, requests=2)} == {"no port"}


# The loop


def test_an_unknown_name_is_an_error_for_people() -> None:
    with pytest.raises(TestbedError, match=r"cannot resolve the target 'no such name\.invalid'"):
        HttpClient(HttpTarget("no such name.invalid", 80), None, print)


def test_timers_go_off_in_their_order_and_not_early() -> None:
    with Sending(("127.0.0.1", 9)) as sending:
        began, at = time.monotonic_ns(), sending.client.timers.at
        seen: list[tuple[int, int]] = []
        for ms in (30, 10, 20, 0):
            when = began + ms * 1_000_000
            # A lambda cannot annotate its default.
            at(when, lambda when=when: seen.append((when, time.monotonic_ns())))  # type: ignore[misc]
        until(lambda: len(seen) == 4)
    assert [when for when, _ in seen] == sorted(when for when, _ in seen)
    assert all(now >= when for when, now in seen)


def test_a_loop_that_was_kept_from_its_turn_says_so() -> None:
    with Sending(("127.0.0.1", 9)) as sending:
        gone = []
        sending.client.timers.at(time.monotonic_ns() + 1_000_000, lambda: gone.append(1))
        time.sleep(0.05)
        until(lambda: bool(gone))
        assert sending.client.timers.take_lag() >= 40_000_000
        assert sending.client.timers.take_lag() == 0


def test_closing_leaves_no_descriptor() -> None:
    def open_now() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = open_now()
    with Server(silent) as server, Sending(server.target) as sending:
        sending.workload(users=10).start()
        until(lambda: len(server.connections) == 10)
        assert open_now() >= before + 20
        sending.client.close()
    until(lambda: open_now() == before)
