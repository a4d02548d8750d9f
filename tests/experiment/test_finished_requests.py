"""Requests without a server in their answer: the kernel is asked, in time, and none is lost."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ipvsload.errors import TestbedError
from ipvsload.experiment.finished_requests import (
    FinishedRequests,
    in_the_tables_words,
    through_directors,
)
from ipvsload.record.format import NO_SERVER, Request

SERVER = "198.51.100.11:80"
SECOND = 1_000_000


class Kernel:
    """Knows the server of each client port but 404; breaks where it should."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.broken = self.silent = False

    def connection_servers(self, clients: Sequence[tuple[str, int]]) -> list[str | None] | None:
        if self.broken:
            raise TestbedError("the director is gone")
        if self.silent:
            return None
        self.asked.append([port for _, port in clients])
        return [None if port == 404 else SERVER for _, port in clients]


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def made(kernel: Any) -> tuple[FinishedRequests, list[Request]]:
    recorded: list[Request] = []
    return FinishedRequests(recorded.extend, kernel), recorded


def test_a_client_port_says_which_director_a_request_went_through() -> None:
    recorded: list[Request] = []
    record = through_directors(recorded.extend, [range(2_048, 3_000), range(3_000, 4_000)])
    for port in (0, 2_048, 2_999, 3_000, 3_999):
        record([ended(port, SECOND)])
    assert [request.director for request in recorded] == [0, 1, 1, 2, 2]
    one = recorded.extend
    assert through_directors(one, ()) is one


def at_once(work: Callable[[], None]) -> None:
    work()


def ended(port: int, end_us: int, *, server: str | None = None, reused: bool = False) -> Request:
    error = None if server else "timeout"
    return Request(
        1,
        "it",
        end_us - 300,
        end_us - 200,
        300,
        0,
        0,
        "198.51.100.200",
        port,
        reused,
        server,
        error,
    )


def test_an_answer_names_its_server_and_is_recorded_at_once(kernel: Kernel) -> None:
    requests, recorded = made(kernel)
    requests.add([ended(1, 5 * SECOND, server=SERVER)])
    requests.add([ended(0, 5 * SECOND)])  # it never had a connection
    assert len(recorded) == 2
    requests.ask_for_all()
    assert kernel.asked == []


def test_the_kernel_is_asked_now_and_then_for_those_that_ended_some_time_ago(
    kernel: Kernel,
) -> None:
    requests, recorded = made(kernel)
    # From several generators they may come out of order.
    for port, seconds in ((1, 1.0), (2, 5.5), (3, 2.0), (404, 2.5)):
        requests.add([ended(port, round(seconds * SECOND))])
    requests.ask_now_and_then(4 * SECOND, at_once)
    assert kernel.asked == []
    requests.ask_now_and_then(6 * SECOND, at_once)
    assert kernel.asked == [[1, 3, 404]]
    assert [(one.port, one.server) for one in recorded] == [
        (1, SERVER),
        (3, SERVER),
        (404, NO_SERVER),
    ]
    requests.ask_for_all()
    assert kernel.asked[1:] == [[2]]
    requests.give_up()
    assert len(recorded) == 4


def test_the_run_goes_on_while_the_kernel_is_asked(kernel: Kernel) -> None:
    requests, recorded = made(kernel)
    works: list[Callable[[], None]] = []
    requests.add([ended(1, SECOND)])
    requests.ask_now_and_then(6 * SECOND, works.append)
    requests.add([ended(2, 2 * SECOND)])
    requests.ask_now_and_then(12 * SECOND, works.append)  # one question at a time
    assert requests.asking
    assert recorded == []
    (work,) = works
    work()
    assert [(one.port, one.server) for one in recorded] == [(1, SERVER)]
    requests.ask_now_and_then(12 * SECOND, works.append)
    requests.give_up()
    works[1]()  # the answer comes too late
    assert [(one.port, one.server) for one in recorded] == [(1, SERVER), (2, None)]


def test_what_a_testbed_that_breaks_cannot_tell_is_recorded_all_the_same(kernel: Kernel) -> None:
    requests, recorded = made(kernel)
    for port in (1, 2):
        requests.add([ended(port, SECOND)])
    kernel.broken = True
    with pytest.raises(TestbedError):
        requests.ask_for_all()
    assert recorded == []
    requests.give_up()
    assert [(one.port, one.server) for one in recorded] == [(1, None), (2, None)]


def test_a_kernel_that_cannot_be_asked_is_told_from_one_that_gave_a_request_to_none(
    kernel: Kernel,
) -> None:
    requests, recorded = made(kernel)
    requests.add([ended(404, SECOND)])
    requests.ask_for_all()
    kernel.silent = True
    requests.add([ended(1, SECOND)])
    requests.ask_for_all()
    assert [one.server for one in recorded] == [NO_SERVER, None]


def test_when_the_last_connection_was_made_and_the_last_request_ended(kernel: Kernel) -> None:
    requests, _ = made(kernel)
    requests.add([ended(1, 2 * SECOND, server=SERVER)])
    requests.add([ended(1, 9 * SECOND, server=SERVER, reused=True)])
    assert (requests.last_connection_us, requests.last_end_us) == (2 * SECOND - 200, 9 * SECOND)
    # Where an error ended it, its connection may have been made until then.
    requests.add([ended(2, 10 * SECOND)])
    assert requests.last_connection_us == 10 * SECOND


@pytest.mark.parametrize(
    ("said", "recorded"),
    [
        ("198.51.100.11:80", "198.51.100.11:0"),
        ("[2001:db8::1]:80", "[2001:db8::1]:0"),
        ("198.51.100.12:80", "198.51.100.12:80"),
        ("web-1", "web-1"),
        (None, None),
    ],
)
def test_servers_of_a_service_at_port_0_have_the_tables_names(
    said: str | None, recorded: str | None
) -> None:
    found: list[Request] = []
    table = ["198.51.100.11:0", "[2001:db8::1]:0", "198.51.100.12:80"]
    in_the_tables_words(found.extend, table)([ended(1, SECOND, server=said)])
    assert [one.server for one in found] == [recorded]
