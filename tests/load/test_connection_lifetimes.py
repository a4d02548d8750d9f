"""Kept connections with a lifetime: closed by the client after an answer, and made anew."""

from typing import Any

import pytest

from tests.load.sending import OK, Sending, Server, read_request, until


class Counting:
    """A server that knows how many requests each connection brought, and how it ended."""

    def __init__(self) -> None:
        self.carried: list[int] = []
        self.ends: list[str] = []

    def __call__(self, sock: Any, _: Any) -> None:
        place = len(self.carried)
        self.carried.append(0)
        try:
            while read_request(sock):
                self.carried[place] += 1
                sock.sendall(OK)
        except ConnectionError:
            self.ends.append("reset")
        else:
            self.ends.append("closed")


@pytest.mark.parametrize("workload", [{"users": 1}, {"rate": 1000}])
def test_after_so_many_requests_the_next_has_a_new_connection(workload: dict[str, Any]) -> None:
    counting = Counting()
    kept = {"connection": {"keep-alive": "3 requests"}, "requests": 10}
    with Server(counting) as server, Sending(server.target) as sending:
        records = sending.play(**kept, **workload)
        if "users" in workload:
            assert [record.reused for record in records] == [False, True, True] * 3 + [False]
            assert counting.carried == [3, 3, 3, 1]
            assert len({record.port for record in records}) == 4
        assert max(counting.carried) <= 3
        assert sum(counting.carried) == 10
        until(lambda: len(counting.ends) == len(counting.carried))
    # Closed with nothing unread, and not by a reset.
    assert set(counting.ends) == {"closed"}
    assert {(record.status, record.error) for record in records} == {(200, None)}


def test_after_so_long_the_next_has_a_new_connection() -> None:
    counting = Counting()
    with Server(counting) as server, Sending(server.target) as sending:
        records = sending.play(users=1, duration=0.3, connection={"keep-alive": "50ms"})
    first, *later = [record for record in records if not record.reused]
    assert 1 <= len(later) <= 6
    opened = first.start
    for new in later:
        assert new.start - opened >= 50_000_000
        opened = new.start


def test_an_idle_connection_is_closed_when_its_time_is_over() -> None:
    counting = Counting()
    with Server(counting) as server, Sending(server.target) as sending:
        workload = sending.workload(users=1, think=3600, connection={"keep-alive": "50ms"})
        workload.start()
        until(lambda: counting.ends == ["closed"])
        assert (workload.requests, workload.users) == (1, 1)


def test_a_server_that_closes_first_gets_a_new_connection_as_ever() -> None:
    def one_request(sock: Any, _: Any) -> None:
        read_request(sock)
        sock.sendall(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    with Server(one_request) as server, Sending(server.target) as sending:
        records = sending.play(users=1, requests=5, connection={"keep-alive": "100 requests"})
    assert [(record.error, record.reused) for record in records] == [(None, False)] * 5
