"""Budgets, pauses, arrivals and ends: every request that began is counted once."""

import socket
from itertools import pairwise
from typing import Any

import gevent
import pytest
from gevent.event import Event

from ipvsload.descriptors import raise_limit
from ipvsload.load.finished_batch import FinishedBatch
from ipvsload.load.http_client import HttpClient
from ipvsload.load.workload import Workload
from ipvsload.record.format import Request
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import HttpTarget
from ipvsload.testbed.lab import packet_loss
from tests.load.sending import OK, Sending, Server, answering, read_request, silent, until

Target = tuple[str, int]
MS = 1_000_000


@pytest.mark.parametrize(
    ("users", "requests"), [(10, 100), (7, 100), (1, 5), (10, 3), (10, 10), (1, 1)]
)
@pytest.mark.parametrize("connection", ["new", "keep-alive"])
def test_a_budget_is_met_exactly(
    target: Target, users: int, requests: int, connection: str
) -> None:
    with Sending(target) as sending:
        records = sending.play(users=users, requests=requests, connection=connection)
        assert len(records) == requests
        assert {r.status for r in records} == {200}
        assert sending.done == ["it"]


def test_a_budget_that_fails_is_met_exactly(target: Target) -> None:
    with Sending((target[0], 1)) as sending:
        records = sending.play(users=10, requests=100)
    assert [r.error for r in records] == ["refused"] * 100


def test_users_work_at_once_and_wait_for_their_answers() -> None:
    together = Event()
    inside = []

    def handle(sock: Any, _: Any) -> None:
        inside.append(read_request(sock))
        if len(inside) == 10:
            together.set()
        together.wait()
        assert len(inside) == 10
        sock.sendall(OK)

    with Server(handle) as server, Sending(server.target) as sending:
        assert {r.error for r in sending.play(users=10, requests=10)} == {None}


def test_a_user_thinks_between_an_answer_and_its_next_request(target: Target) -> None:
    with Sending(target) as sending:
        records = sending.play(users=1, requests=5, think=0.01)
    assert all(b.start - a.end >= 10 * MS for a, b in pairwise(records))
    assert all(r.planned == r.start for r in records)


def test_users_that_think_go_home_when_the_budget_is_spent(target: Target) -> None:
    with Sending(target) as sending:
        workload = sending.workload(users=1, requests=20, think=3600)
        workload.start(users=0)
        for _ in range(9):
            workload.join()
        until(lambda: workload.requests == 9)
        workload.join(pause=lambda: 0)
        workload.over.wait()
        assert (workload.requests, workload.users) == (20, 0)


def test_a_duration_ends_it(target: Target) -> None:
    with Sending(target) as sending:
        records = sending.play(users=3, duration=0.1, think=0.005)
    assert {r.error for r in records} == {None}
    assert 3 <= len(records) <= 63


def test_a_class_can_be_started_again_with_a_whole_budget(target: Target) -> None:
    with Sending(target) as sending:
        workload = sending.workload(users=2, requests=5)
        for total in (5, 10):
            workload.start()
            workload.start()  # nothing: it runs
            workload.over.wait()
            assert workload.requests == len(sending.records) == total
        assert sending.done == ["it", "it"]


# Ends


def test_stop_sends_nothing_new_and_waits_for_what_is_in_flight() -> None:
    go = Event()

    def handle(sock: Any, _: Any) -> None:
        read_request(sock)
        go.wait()
        sock.sendall(OK)

    with Server(handle) as server, Sending(server.target) as sending:
        workload = sending.workload(users=5)
        workload.start()
        until(lambda: len(server.connections) == 5)
        workload.stop()
        assert not workload.done
        assert workload.inflight == 5
        go.set()
        workload.over.wait()
    assert [r.error for r in sending.records] == [None] * 5


def test_finish_waits_for_an_answer() -> None:
    def handle(sock: Any, _: Any) -> None:
        read_request(sock)
        gevent.sleep(0.02)
        sock.sendall(OK)

    with Server(handle) as server, Sending(server.target) as sending:
        workload = sending.workload(users=5)
        workload.start()
        until(lambda: len(server.connections) == 5)
        workload.finish(30)
        assert workload.done
        assert workload.sent == len(sending.records)
    assert {r.error for r in sending.records} == {None}


def test_finish_cuts_off_what_has_no_answer_by_then() -> None:
    with Server(silent) as server, Sending(server.target) as sending:
        workload = sending.workload(users=5)
        workload.start()
        until(lambda: len(server.connections) == 5)
        workload.finish(0.01)
        assert workload.done
        assert workload.sent == workload.requests == workload.failures == 5
    assert [r.error for r in sending.records] == ["cut off"] * 5


def test_what_was_never_sent_is_cut_off_without_a_trace_of_the_last_answer() -> None:
    # The server does not close, and so the user does not send again yet.
    with Server(answering(OK)) as server, Sending(server.target) as sending:
        workload = sending.workload(users=1)
        workload.start()
        until(lambda: workload.requests == 1)
        workload.finish(0)
    first, second = sending.records
    assert (first.status, first.size, first.client) == (200, 2, "127.0.0.1")
    assert second[3:] == (0, 0, "", 0, False, None, "cut off", None, None)
    assert workload.sent == workload.requests == 2


def test_a_class_that_ends_before_its_first_request_counts_them_all(target: Target) -> None:
    with Sending(target) as sending:
        workload = sending.workload(users=5)
        workload.start()
        workload.finish(0)
    assert workload.sent == workload.requests == len(sending.records) == 5
    assert {r.error for r in sending.records} <= {None, "cut off"}


def test_users_leave_with_their_answer_and_are_expelled_without() -> None:
    gone = []
    with Server(silent) as server, Sending(server.target) as sending:
        workload = sending.workload(users=1)
        workload.start(users=0)
        patient = workload.join(on_gone=lambda: gone.append("patient"))
        hasty = workload.join(on_gone=lambda: gone.append("hasty"))
        until(lambda: len(server.connections) == 2)
        workload.leave(patient)
        workload.remove(hasty)
        assert (gone, workload.users, workload.inflight) == (["hasty"], 1, 1)
        workload.finish(0)
        assert (gone, workload.users, workload.inflight) == (["hasty", "patient"], 0, 0)
    assert [r.error for r in sending.records] == ["cut off"] * 2


def test_a_user_that_thinks_leaves_at_once(target: Target) -> None:
    gone = []
    with Sending(target) as sending:
        workload = sending.workload(users=1, think=3600)
        workload.start(users=0)
        users = [workload.join(on_gone=lambda: gone.append(1)) for _ in range(2)]
        until(lambda: workload.requests == 2)
        workload.leave(users[0])
        workload.remove(users[1])
        assert (len(gone), workload.users) == (2, 0)


def test_classes_on_one_client_do_not_mix(target: Target) -> None:
    with Sending(target) as sending:
        slow = sending.workload(users=2, requests=2, request="GET /delay/0.2")
        quick = sending.workload(users=2, requests=50)
        slow.start()
        quick.start()
        quick.over.wait()
        assert (quick.requests, slow.requests, slow.inflight) == (50, 0, 2)
        slow.over.wait()
    assert slow.requests == 2


# Many


def test_2000_requests_are_held_open_at_once() -> None:
    raise_limit()
    everybody = Event()

    def handle(sock: Any, _: Any) -> None:
        read_request(sock)
        if len(server.connections) == 2000:
            everybody.set()
        everybody.wait()
        sock.sendall(OK)

    with Server(handle) as server, Sending(server.target) as sending:
        records = sending.play(users=2000, requests=2000)
    assert {(r.status, r.error) for r in records} == {(200, None)}


def test_2000_delayed_requests_to_the_real_servers(target: Target) -> None:
    raise_limit()
    with Sending(target) as sending:
        records = sending.play(users=2000, requests=2000, request="GET /delay/0.5")
    assert {(r.status, r.error) for r in records} == {(200, None)}
    assert len({r.port for r in records}) == 2000


# Whoever is told may fail


def test_what_the_recorder_raises_is_told_once_and_ends_the_load() -> None:
    told: list[Exception] = []

    def full(requests: list[Request]) -> None:
        raise OSError(28, "No space left on device")

    with Server(answering(OK)) as server:
        client = HttpClient(HttpTarget(*server.target), None, on_error=told.append)
        workload = Workload("it", Traffic(users=5), client, FinishedBatch(full))
        workload.start()
        until(lambda: bool(told))
        gevent.sleep(0.05)
        sent = workload.sent
        workload.finish(0)  # cuts off, records again, fails again
        assert [str(error) for error in told] == ["[Errno 28] No space left on device"]
        assert workload.sent == workload.requests == sent
        assert (workload.inflight, workload.users) == (0, 0)
        client.close()


def test_what_is_raised_when_a_class_is_done_is_told_as_well(target: Target) -> None:
    told: list[Exception] = []

    def full(name: str) -> None:
        raise OSError(28, "No space left on device")

    client = HttpClient(HttpTarget(*target), None, on_error=told.append)
    nobody = FinishedBatch(lambda _: None)
    workload = Workload("it", Traffic(users=2, requests=5), client, nobody, full)
    workload.start()
    workload.over.wait()
    until(lambda: bool(told))
    client.close()
    assert len(told) == 1
    assert workload.requests == 5


def test_arrivals_are_sent_when_they_are_due_though_nobody_accepts() -> None:
    """A server that drops SYNs holds users back, a hundred each 200 ms, and no arrivals."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        packet_loss.lose(deaf)
        with Sending(deaf.getsockname()) as sending:
            records = sending.play(rate=5000, requests=1000, timeout=1.5)
    assert {r.error for r in records} == {"timeout"}
    assert max(r.start for r in records) < min(r.end for r in records)
