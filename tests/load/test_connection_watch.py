"""Who watches connections hears of each one's beginning and end, in the order of the requests."""

import socket
from typing import Any

import pytest

from ipvsload.load.connection_watch import ConnectionEnd
from tests.load.sending import (
    OK,
    Handler,
    Record,
    Sending,
    Server,
    answering,
    once,
    resetting,
    silent,
)

CLOSING = OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


class Watch:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int]] = []
        self.times: list[int] = []

    def opened(self, client: str, port: int, now_ns: int) -> None:
        self._note("opened", client, port, now_ns)

    def ended(self, client: str, port: int, now_ns: int, how: ConnectionEnd) -> None:
        self._note(how.name.lower(), client, port, now_ns)

    def _note(self, what: str, client: str, port: int, now_ns: int) -> None:
        self.told.append((what, client, port))
        self.times.append(now_ns)


def watched(handle: Handler, **spec: Any) -> tuple[list[Record], list[tuple[str, str, int]]]:
    watch = Watch()
    with Server(handle) as server, Sending(server.target, watch=watch) as sending:
        records = sending.play(users=1, **spec)
    assert watch.times == sorted(watch.times)
    return records, watch.told


@pytest.mark.parametrize(
    ("handle", "spec", "end"),
    [
        (once(CLOSING), {}, "closed"),
        (resetting, {}, "reset"),
        (silent, {"timeout": 0.05}, "closed"),
        (once(OK), {"connection": "keep-alive", "think": 0.01}, "closed"),
    ],
)
def test_each_connection_is_told_of_twice(handle: Handler, spec: dict[str, Any], end: str) -> None:
    records, told = watched(handle, requests=3, **spec)
    assert told == [(what, one.client, one.port) for one in records for what in ("opened", end)]


def test_a_kept_connection_is_one() -> None:
    records, told = watched(answering(OK), requests=5, connection="keep-alive")
    assert len({one.port for one in records}) == 1
    assert [what for what, *_ in told] == ["opened", "closed"]
    records, told = watched(answering(OK), requests=4, connection={"keep-alive": "2 requests"})
    assert [what for what, *_ in told] == ["opened", "closed"] * 2


def test_one_that_nobody_takes_is_reset() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        watch = Watch()
        with Sending(nobody.getsockname(), watch=watch) as sending:
            (record,) = sending.play(users=1, requests=1)
    assert record.error == "refused"
    assert watch.told == [(what, record.client, record.port) for what in ("opened", "reset")]


def test_one_that_nobody_answers_ends_without_a_word() -> None:
    with socket.socket() as listener, socket.socket() as first:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        first.connect(listener.getsockname())  # there is room for one
        watch = Watch()
        with Sending(listener.getsockname(), watch=watch) as sending:
            (record,) = sending.play(users=1, requests=1, timeout=0.1)
    assert record.error == "timeout"
    assert [what for what, *_ in watch.told] == ["opened", "unanswered"]
