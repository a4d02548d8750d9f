"""A kept connection: used again, made anew where the server closed it, never kept waiting."""

import ctypes
import socket
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
import pytest
from gevent import monkey
from gevent.socket import socket as CooperativeSocket  # noqa: N812

from ipvsload.load import request_carrier
from ipvsload.load.connect_gate import ConnectGate
from tests.load.sending import (
    OK,
    Handler,
    Record,
    Sending,
    Server,
    answering,
    once,
    read_request,
    reset,
    resetting,
    silent,
    until,
)
from tests.patience import HUNG_AFTER_S

SO_ATTACH_FILTER = 26
BPF_RET = 0x06


def test_a_kept_connection_does_not_wait_behind_those_that_are_not_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        request_carrier, "ConnectGate", partial(ConnectGate, accept_within_ns=1_000 * 10**9)
    )
    with CooperativeSocket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)

        def accept() -> None:
            first, address = listener.accept()
            with first:
                answering(OK)(first, address)

        server = gevent.spawn(accept)
        with Sending(listener.getsockname()) as sending:
            kept = sending.workload(users=1, requests=30, think=0.01, connection="keep-alive")
            kept.start()
            until(lambda: bool(sending.records))
            others = sending.workload(users=300, requests=300)
            others.start()
            kept.over.wait()
            assert [record.error for record in sending.records] == [None] * 30
            assert sum(record.reused for record in sending.records) == 29
            assert others.requests == 0
        server.kill()


def test_closed_while_idle_another_connection_is_made() -> None:
    closed = []

    def handle(sock: Any, address: Any) -> None:
        once(OK)(sock, address)
        sock.close()
        closed.append(address)

    with Server(handle) as server, Sending(server.target) as sending:
        records = sending.play(users=1, requests=4, think=0.01, connection="keep-alive")
    assert [(r.error, r.reused) for r in records] == [(None, False)] * 4
    assert len(closed) == 4


def ends_the_moment_that_we_send(
    handle: Handler, end: Callable[[Any], None], **spec: Any
) -> list[Record]:
    """Two requests; before the second is sent, but unseen by us, `end` ends the connection."""
    with Server(handle) as server, Sending(server.target) as sending:
        workload = sending.workload(users=1, requests=2, connection="keep-alive", **spec)

        def pause() -> float:
            end(server.connections[0])
            return 0

        workload.start(users=0)
        workload.join(pause=pause)
        workload.over.wait()
        assert len(server.connections) <= 2
        return sending.records


def close(sock: Any) -> None:
    # Whatever gevent waits for there: the kernel's socket goes now.
    sock.shutdown(socket.SHUT_RDWR)
    sock.close()


@pytest.mark.parametrize("end", [close, reset])
def test_closed_as_we_send_the_request_goes_again_and_the_record_says_so(
    end: Callable[[Any], None],
) -> None:
    first, second = ends_the_moment_that_we_send(answering(OK), end)
    assert (first.error, second.error) == (None, None)
    assert not second.reused
    assert second.port != first.port
    assert first.untaken is None
    assert second.untaken is not None
    assert second.untaken[0] in ("reset", "closed")
    assert second.untaken[2] == 1


@pytest.mark.parametrize("end", [close, reset])
def test_a_user_goes_on_whose_pause_and_connection_end_at_once(
    end: Callable[[Any], None],
) -> None:
    """Both are among what one look at the poll finds, the pause first."""
    pauses = [0.5, 0.0]
    with Server(answering(OK)) as server, Sending(server.target) as sending:
        workload = sending.workload(users=1, requests=3, connection="keep-alive")

        def later() -> None:
            monkey.get_original("time", "sleep")(0.6)  # nothing else goes on meanwhile
            end(server.connections[0])

        def pause() -> float:
            if len(pauses) == 2:
                gevent.spawn(later)
            return pauses.pop(0)

        workload.start(users=0)
        workload.join(pause=pause)
        workload.over.wait(HUNG_AFTER_S)
        told = [(record.error, record.reused) for record in sending.records]
    assert told == [(None, False), (None, False), (None, True)]


@pytest.mark.parametrize("end", [close, reset])
def test_where_it_is_not_to_go_again_it_has_failed(end: Callable[[Any], None]) -> None:
    first, second = ends_the_moment_that_we_send(answering(OK), end, retry=False)
    assert (first.error, first.untaken) == (None, None)
    assert second.error in ("reset", "closed")
    assert (second.reused, second.port) == (True, first.port)
    assert second.untaken is not None
    assert second.untaken[::2] == (second.error, 0)


def test_how_long_a_connection_had_idled_is_known() -> None:
    with Server(answering(OK)) as server, Sending(server.target) as sending:
        workload = sending.workload(users=1, requests=2, connection="keep-alive")

        def pause() -> float:
            gevent.sleep(0.3)
            reset(server.connections[0])
            return 0

        workload.start(users=0)
        workload.join(pause=pause)
        workload.over.wait()
        first, second = sending.records
    assert second.untaken is not None
    # The kernel counts in ticks, of which the longest is 10 ms.
    at_most_us = (second.start - first.start) / 1000 + 20_000
    assert 280_000 <= second.untaken[1] <= at_most_us


def test_a_connection_that_answers_with_silence_is_told_from_a_server_that_is_slow() -> None:
    def slow(sock: Any, _: Any) -> None:
        read_request(sock)
        sock.sendall(OK)
        silent(sock, None)

    spec: dict[str, Any] = {"users": 1, "requests": 2, "connection": "keep-alive", "timeout": 0.3}
    answers = []
    for before_second in (deaf, lambda _: None):
        with Server(slow) as server, Sending(server.target) as sending:
            workload = sending.workload(**spec)

            def pause(
                server: Server = server, then: Callable[[Any], None] = before_second
            ) -> float:
                then(server.connections[0])
                return 0

            workload.start(users=0)
            workload.join(pause=pause)
            workload.over.wait()
            first, second = sending.records
            assert (first.error, second.error, second.reused) == (None, "timeout", True)
            answers.append(second.untaken and second.untaken[::2])
    # The silent one never acknowledged anything. What times out is not sent again.
    assert answers == [("silence", 0), None]


def deaf(sock: Any) -> None:
    """Has the kernel drop whatever comes to this connection: a filter that keeps 0 bytes."""
    program = ctypes.create_string_buffer(struct.pack("HBBI", BPF_RET, 0, 0, 0))
    sock.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program))
    )


def test_it_goes_again_once_only() -> None:
    served: list[object] = []

    def handle(sock: Any, address: Any) -> None:
        if not served:
            served.append(address)
            answering(OK)(sock, address)
        else:
            resetting(sock, address)

    first, second = ends_the_moment_that_we_send(handle, close)
    assert (first.error, second.error) == (None, "reset")


def test_what_the_server_took_does_not_go_again() -> None:
    def handle(sock: Any, _: Any) -> None:
        read_request(sock)
        sock.sendall(OK)
        read_request(sock)

    with Server(handle) as server, Sending(server.target) as sending:
        records = sending.play(users=1, requests=2, connection="keep-alive")
        assert len(server.connections) == 1
    assert [(r.error, r.reused) for r in records] == [(None, False), ("closed", True)]
